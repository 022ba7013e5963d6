export { type Answer, type Call, call, tryCall } from "./call.ts";
export {
  FIRST_ADMIN,
  login,
  loginAdmin,
  NEW_PASSWORD,
  newEmail,
  PASSWORD,
  type Person,
  problemOf,
  readToken,
  register,
  until,
} from "./people.ts";
