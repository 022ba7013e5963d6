export { createAsyncApiDocument } from "./document.ts";
