// Runs in the build of an image: loads the modules of a service, so that V8's compile cache (NODE_COMPILE_CACHE) contains them.
// Usage: warm.ts MODULE…
for (const path of process.argv.slice(2)) await import(new URL(path, `file://${process.cwd()}/`).href);
// A loaded module may keep the process alive, for example by waiting for a signal.
process.exit(0);
