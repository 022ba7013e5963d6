export {
  bringDown,
  bringUp,
  type ComposeProject,
  containerOf,
  createComposeProject,
  inspect,
  runCompose,
} from "./compose-project.ts";
export { buildImages, docker, findCompose, imageOf, type ImageTarget, removeImages } from "./docker.ts";
