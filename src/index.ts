// The library. Only what is exported here is public.
export type { Clock } from "./base/clock.ts";
export { type Leftover, ToolError } from "./base/errors.ts";
export type { Problem } from "./base/problems.ts";
export type { AmiArtifact, BuildEvent, NamedBuildEvent } from "./build/build-events.ts";
export { type BuildHost, createBuildHost } from "./build/build-host.ts";
export { type BuildResult, type BuildSummary, type RunBuildsOptions, runBuilds } from "./build/run-builds.ts";
export type { FaultReport } from "./local-cloud/faults/fault-engine.ts";
export type { FaultPlan } from "./local-cloud/faults/fault-plan.ts";
export { type LocalCloud, type LocalCloudOptions, startLocalCloud } from "./local-cloud/server.ts";
export type { BuildPlan, ProvisionerPlan, SourceLocation, TemplatePlan } from "./template/build-plan.ts";
export { type ReadTemplateOptions, readTemplate } from "./template/read-template.ts";
export { TemplateError } from "./template/template-error.ts";
