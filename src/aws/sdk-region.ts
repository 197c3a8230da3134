// A file of its own with a static import: of a package that is imported with
// `await import()` as a whole, the bundler can leave nothing out (600 kB, 150 ms).
import { EC2Client } from "@aws-sdk/client-ec2";

/** The region that the shared files name for a profile, or for the default one. */
export async function profileRegion(profile: string | undefined): Promise<string | undefined> {
  const client = new EC2Client(profile === undefined ? {} : { profile });
  try {
    return (await client.config.region()) || undefined;
  } catch {
    // "Region is missing" is its way to say that no file names one.
    return undefined;
  } finally {
    client.destroy();
  }
}
