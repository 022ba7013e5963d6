/**
 * Returns a check whether a Host header has an allowed host, with any port. `*.example.com` allows every name below
 * example.com, and not example.com itself. An empty list allows any host.
 */
export function createHostCheck(allowed: readonly string[]): (host: string | undefined) => boolean {
  if (allowed.length === 0) return () => true;
  const names = new Set<string>();
  const suffixes: string[] = [];
  for (const item of allowed.map(hostName)) {
    if (item.startsWith("*.")) suffixes.push(item.slice(1));
    else names.add(item);
  }
  return (host) => {
    const name = hostName(host ?? "");
    return names.has(name) || suffixes.some((suffix) => name.length > suffix.length && name.endsWith(suffix));
  };
}

/** `Example.com:8000` -> `example.com`, `[::1]:8000` -> `[::1]`. */
function hostName(host: string): string {
  const name = /^(\[[^\]]*\]|[^:]*)(?::\d+)?$/.exec(host)?.[1] ?? "";
  return (name.endsWith(".") ? name.slice(0, -1) : name).toLowerCase();
}
