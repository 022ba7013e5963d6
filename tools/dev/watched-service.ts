import { type LaunchedService, launchService, type LaunchOptions, REPOSITORY_ROOT } from "@gatehouse/local-stack";
import { type FSWatcher, globSync, readdirSync, watch } from "node:fs";
import { join } from "node:path";

/** Editors write a file in several steps. */
const DEBOUNCE_MS = 100;

/** Files that editors write beside the saved file. */
const IGNORED = /^\.|~$|\.(swp|swx|tmp)$/;

/** Folders whose files no running service loads. */
const NOT_LOADED = new Set(["node_modules", "test", "coverage"]);

/** Returns every folder whose files a service loads: its own and those of libs. */
function sourceFolders(tree: string, service: string): string[] {
  return [join(tree, service), ...globSync("libs/*", { cwd: tree }).map((lib) => join(tree, lib))];
}

/**
 * Calls `onChange` after files below the folders were saved, in place or by rename, added or removed. Watches folders and not
 * files, since a rename replaces the file that is watched.
 * @returns stops it
 */
function watchFolders(folders: readonly string[], onChange: () => void): () => void {
  const watchers = new Map<string, FSWatcher>();
  let timer: NodeJS.Timeout | undefined;

  function add(folder: string): void {
    try {
      if (!watchers.has(folder))
        watchers.set(
          folder,
          watch(folder, (event, file) => notice(folder, event, file)),
        );
      for (const entry of readdirSync(folder, { withFileTypes: true }))
        if (entry.isDirectory() && !NOT_LOADED.has(entry.name)) add(join(folder, entry.name));
    } catch {
      // The folder was removed meanwhile.
      remove(folder);
    }
  }

  function remove(folder: string): void {
    watchers.get(folder)?.close();
    watchers.delete(folder);
  }

  function notice(folder: string, event: string, file: string | null): void {
    if (file === null || IGNORED.test(file) || NOT_LOADED.has(file)) return;
    // A folder that was replaced needs a new watcher.
    if (event === "rename") remove(join(folder, file));
    clearTimeout(timer);
    timer = setTimeout(() => {
      for (const root of folders) add(root);
      onChange();
    }, DEBOUNCE_MS);
  }

  for (const folder of folders) add(folder);
  return () => {
    clearTimeout(timer);
    for (const folder of [...watchers.keys()]) remove(folder);
  };
}

/** A service that restarts whenever its files or those of libs change. */
export interface WatchedService {
  /** Of the first process; resolves also when it ends, since the next change starts it again. */
  waitUntilReady(signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a service and restarts it on changes. A process that ends by itself is started by the next change. */
export async function launchWatched(options: LaunchOptions, say: (line: string) => void): Promise<WatchedService> {
  const { service, folder = `services/${service}`, tree = REPOSITORY_ROOT } = options;
  const stopping = new AbortController();
  let current = await launchService(options);
  let isRestartDue = false;
  let restarting: Promise<void> | undefined;

  function follow(launched: LaunchedService): void {
    void launched.ended.then((how) => {
      if (launched === current && !stopping.signal.aborted && restarting === undefined)
        say(`${service} ended (${how}). It starts again when a file changes.`);
    });
  }

  async function restart(): Promise<void> {
    while (isRestartDue && !stopping.signal.aborted) {
      isRestartDue = false;
      say(`restarting ${service}: a file changed`);
      await current.stop();
      if (stopping.signal.aborted) return;
      current = await launchService(options);
      const launched = current;
      launched.waitUntilReady(stopping.signal).then(
        () => say(`restarted ${service}`),
        () => undefined,
      );
    }
  }

  const unwatch = watchFolders(sourceFolders(tree, folder), () => {
    isRestartDue = true;
    restarting ??= restart()
      .catch((error: unknown) => say(`${service} could not be restarted: ${String(error)}`))
      .finally(() => {
        restarting = undefined;
        follow(current);
      });
  });
  follow(current);
  return {
    waitUntilReady: (signal) => current.waitUntilReady(signal),
    async stop() {
      stopping.abort();
      unwatch();
      await restarting;
      await current.stop();
    },
  };
}
