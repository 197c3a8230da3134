import { type Leftover, releaseOrReport } from "../../base/errors.ts";
import type { BuildContext } from "../build-context.ts";

/** A result that is deleted at the end of its scope unless it is kept. */
export interface Draft<Id extends string> extends AsyncDisposable {
  readonly id: Id;
  /** The build has succeeded: it stays. */
  keep(): Id;
}

/** Takes charge of something that the account now has. What cannot be deleted is reported, not thrown. */
export function draft<Id extends string>(
  { reportLeftover, ec2 }: Pick<BuildContext, "reportLeftover" | "ec2">,
  what: Pick<Leftover, "kind"> & { id: Id; removeWith: string },
  remove: () => Promise<void>,
): Draft<Id> {
  let isKept = false;
  return {
    id: what.id,
    keep: () => {
      isKept = true;
      return what.id;
    },
    async [Symbol.asyncDispose]() {
      if (isKept) return;
      isKept = true;
      await releaseOrReport({ ...what, removeWith: awsCommand(ec2.region, what.removeWith) }, remove, reportLeftover);
    },
  };
}

/** The command line by which a person removes a resource. */
export function awsCommand(region: string, command: string): string {
  return `aws ec2 --region ${region} ${command}`;
}
