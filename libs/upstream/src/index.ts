export { type Failure, failureOf, UpstreamError } from "./failure.ts";
export { createUpstream, type Upstream, type UpstreamRequest, type UpstreamResponse } from "./upstream.ts";
