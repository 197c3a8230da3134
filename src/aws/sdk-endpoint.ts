import { type EBSClient, ListSnapshotBlocksCommand } from "@aws-sdk/client-ebs";

/** Where the SDK's client sends its requests, however it was configured: by options, variables, files or the region. */
export async function endpointOf(client: EBSClient): Promise<URL> {
  const command = new ListSnapshotBlocksCommand({ SnapshotId: "snap-0" });
  let endpoint: URL | undefined;
  command.middlewareStack.add(
    () => async (args) => {
      const { protocol, hostname, port, path } = args.request as Target;
      endpoint = new URL(`${protocol}//${hostname}${port === undefined ? "" : `:${port}`}${path}`);
      endpoint.pathname = endpoint.pathname.replace(/\/snapshots\/snap-0\/blocks$/, "");
      // Nothing is sent.
      return { output: { $metadata: {} }, response: {} };
    },
    { step: "build", priority: "high" },
  );
  await client.send(command);
  if (endpoint === undefined) throw new Error("The SDK does not tell where it sends requests");
  return endpoint;
}

interface Target {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
}
