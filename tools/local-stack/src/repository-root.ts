import { fileURLToPath } from "node:url";

/** The folder of the whole project. */
export const REPOSITORY_ROOT: string = fileURLToPath(new URL("../../../", import.meta.url));
