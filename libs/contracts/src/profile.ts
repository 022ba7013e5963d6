import { z } from "zod";
import { fullNameInput } from "./fields.ts";

/*
 * The profile: what users say about themselves; the user service owns it. Bodies, responses, commands, events and table types
 * derive from the shapes below, and services pass the profile as one object, so its fields keep their wire names everywhere.
 * How to add a field: docs/guide/adding-a-profile-field.md.
 */

/** Each field as responses show it and tables store it. Every field is nullable. */
export const profileFields = { full_name: z.string().nullable() };

export type Profile = z.output<z.ZodObject<typeof profileFields>>;

/** Each field as bodies set it. An absent field is null at registration and unchanged by PATCH. */
export const profileInput = { full_name: fullNameInput().optional() } satisfies {
  [Field in keyof Profile]: z.ZodType<Profile[Field] | undefined>;
};

/** The fields that every logged-in user may see of any other user. */
export const publicProfileFields = { full_name: profileFields.full_name };

const { full_name, ...laterFields } = profileFields;

/** Each field as events carry it. Only full_name is required: an older build does not write the fields that came later. */
export const profileEventFields = { full_name, ...z.object(laterFields).partial().shape };

type PublicProfile = z.output<z.ZodObject<typeof publicProfileFields>>;
type ProfileSource = { readonly [Field in keyof Profile]?: Profile[Field] | undefined };
const NAMES = Object.keys(profileFields) as (keyof Profile)[];

/** Returns the profile in a row, a body or an event; an absent field is null. */
export function profileOf(source: ProfileSource): Profile {
  return Object.fromEntries(NAMES.map((name) => [name, source[name] ?? null])) as Profile;
}

/** Returns the fields that every logged-in user may see. */
export function publicProfileOf(profile: Profile): PublicProfile {
  return z.object(publicProfileFields).parse(profile);
}

/** Returns the profile fields that a body or an event sets; an absent field stays absent. */
export function profileChangesOf(source: ProfileSource): Partial<Profile> {
  return Object.fromEntries(NAMES.filter((name) => source[name] !== undefined).map((name) => [name, source[name]]));
}
