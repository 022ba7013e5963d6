// Run in the build of an image: loads all that a service consists of, so that V8's compile cache (NODE_COMPILE_CACHE) has it.
//   warm.ts MODULE…
for (const path of process.argv.slice(2)) await import(new URL(path, `file://${process.cwd()}/`).href);
// What was loaded may wait for something, such as a signal.
process.exit(0);
