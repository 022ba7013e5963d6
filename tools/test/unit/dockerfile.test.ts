import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const dockerfile = readFileSync(`${ROOT}deploy/Dockerfile`, "utf8");
const project = JSON.parse(readFileSync(`${ROOT}package.json`, "utf8")) as {
  readonly version: string;
  readonly devDependencies: { readonly node: string };
};

const TARGETS = ["gateway", "auth", "user", "tools"];

describe("deploy/Dockerfile", () => {
  const stages = dockerfile.split(/^FROM /m).slice(1);
  const images = stages.filter((stage) => TARGETS.some((target) => stage.startsWith(`node AS ${target}\n`)));

  it("uses one base image with the project's version of Node", () => {
    expect([...dockerfile.matchAll(/^ARG NODE_IMAGE=(.*)$/gm)].map(([, image]) => image)).toEqual([
      `node:${project.devDependencies.node}-bookworm-slim`,
    ]);
    const names = stages.map((stage) => /^\S+ AS (\S+)/.exec(stage)?.[1]);
    for (const stage of stages) expect(["${NODE_IMAGE}", "scratch", ...names]).toContain(stage.split(" ")[0]);
    expect(dockerfile).not.toContain("latest");
  });

  it("labels the images with the version of package.json", () => {
    expect(dockerfile).toContain(`\nARG VERSION=${project.version}\n`);
  });

  it("runs Node without a shell, as a numeric user", () => {
    expect(images.length).toBe(4);
    for (const image of images) {
      expect(image).toMatch(/^USER 1000:1000$/m);
      expect(image).toMatch(/^CMD \["node", /m);
      expect(image).not.toMatch(/^(?:RUN|ENTRYPOINT)/m);
    }
  });

  it("checks the health of each service every 30 s", () => {
    const checked = images.filter((image) =>
      /^HEALTHCHECK --interval=30s .* CMD \["node", "deploy\/image\/healthcheck\.ts"\]$/m.test(image),
    );
    expect(checked.map((image) => /^node AS (\S+)/.exec(image)?.[1])).toEqual(["gateway", "auth", "user"]);
  });
});
