#!/usr/bin/env node
// The first file of the built command. From the sources, `main.ts` is the first.
import { join } from "node:path";
import { ChunkLoader } from "./chunk-loader.ts";
import { keepYoungGenerationSmall } from "./v8-flags.ts";

/** Where the build has put `main.ts`, relative to this file. */
declare const AMIBAKE_MAIN: string;

keepYoungGenerationSmall();
new ChunkLoader().load(join(import.meta.dirname, AMIBAKE_MAIN));
