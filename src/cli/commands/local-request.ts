import { ToolError } from "../../base/errors.ts";
import { askDaemon } from "../../local-cloud/daemon/control-client.ts";
import type { Progress, RequestName, Requests } from "../../local-cloud/daemon/control-protocol.ts";
import type { CliContext } from "../cli-context.ts";
import { LiveArea } from "../ui/live-area.ts";
import { connectToStore } from "./local-store.ts";

/** Asks the store's local cloud, which is started for it if it does not run, and shows the progress. */
export async function requestOfStore<Name extends RequestName>(
  storeDirectory: string,
  request: Name,
  parameters: Requests[Name]["parameters"],
  context: CliContext,
): Promise<Requests[Name]["result"]> {
  using signal = context.abortOnSignals();
  await using _lease = await connectToStore(storeDirectory, context, signal);
  using progress = createProgress(context);
  await using answer = await askDaemon(storeDirectory, request, parameters, { signal, onProgress: progress.show });
  if (answer !== undefined) return answer.result;
  throw new ToolError("ERR_LOCAL_CLOUD_ENDED", "The local cloud ended before it had answered", {
    hint: `See why: cat ${storeDirectory}/daemon.log`,
    fault: "host",
  });
}

/** A line that changes in place on a terminal; a line for each step elsewhere. */
function createProgress({ stderr, environment }: CliContext): { show: (progress: Progress) => void } & Disposable {
  const isLive = stderr.isTTY === true && environment["TERM"] !== "dumb" && !environment["CI"];
  let shown = "";
  if (!isLive) {
    const show = ({ step }: Progress) => {
      if (step !== shown) stderr.write(`${step}\n`);
      shown = step;
    };
    return { show, [Symbol.dispose]: () => {} };
  }
  const area = new LiveArea(stderr, () => (shown === "" ? [] : [shown]));
  return {
    show({ step, fraction }) {
      shown = fraction === undefined ? step : `${step} ${Math.floor(fraction * 100)} %`;
      area.refresh();
    },
    [Symbol.dispose]: () => area[Symbol.dispose](),
  };
}
