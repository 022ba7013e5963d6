import { z } from "zod";
import { profileEventFields, profileOf } from "../profile.ts";
import { declareEvent, EXAMPLE_IDS } from "./declare-event.ts";

const userId = z.string();
const user_id = EXAMPLE_IDS.user;

/** The events that the user service publishes, by subject. */
export const USER_EVENTS = {
  "user.registered": declareEvent({
    summary: "A user registered, or an admin created a user. The profile exists.",
    data: z.looseObject({ user_id: userId, email: z.string(), ...profileEventFields }),
    example: { user_id, email: "somebody@example.com", ...profileOf({}) },
  }),
  "user.profile.updated": declareEvent({
    summary: "The profile changed; `changed` names the fields.",
    data: z.looseObject({ user_id: userId, ...profileEventFields, changed: z.array(z.string()) }),
    example: { user_id, ...profileOf({}), changed: ["full_name"] },
  }),
  "user.deleted": declareEvent({
    summary:
      "The user was deleted: softly (it may be restored) or permanently (erase everything you store about the user).",
    data: z.looseObject({ user_id: userId, soft: z.boolean() }),
    example: { user_id, soft: true },
  }),
  "user.restored": declareEvent({
    summary: "A soft-deleted user was restored.",
    data: z.looseObject({ user_id: userId }),
    example: { user_id },
  }),
};
