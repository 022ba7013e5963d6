// `\` and `#`, an empty or dotted segment, and the encodings of `/`, `\`, `.`, NUL and `%` (which would decode twice).
const TRICK = /[\\#]|\/\/|\/\.{1,2}(?:\/|$)|%(?:2f|5c|2e|00|25)/i;

/**
 * Returns whether a request target has a path without tricks, so that the service reads the path that the router matched.
 * No route needs anything else.
 */
export function isPlainPath(target: string): boolean {
  if (target.charCodeAt(0) !== 47) return false;
  const query = target.indexOf("?");
  return !TRICK.test(query === -1 ? target : target.slice(0, query));
}
