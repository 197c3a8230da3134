const NO_CONNECTION = "a chroot has no connection";
const NO_SERVER = 'there is no HTTP server; the provisioner "file" puts files into the image';

/**
 * Build variables that other builders of Packer's have, and why there are none here. With its chroot builder, Packer fails when
 * it gets there, or takes a text such as "ERR_ID_NOT_IMPLEMENTED_BY_BUILDER".
 */
export const ABSENT_BUILD_VARIABLES: ReadonlyMap<string, string> = new Map([
  ["ID", "no instance is launched"],
  ["Host", NO_CONNECTION],
  ["Port", NO_CONNECTION],
  ["User", NO_CONNECTION],
  ["Password", NO_CONNECTION],
  ["ConnType", NO_CONNECTION],
  ["SSHPublicKey", NO_CONNECTION],
  ["SSHPrivateKey", NO_CONNECTION],
  ["WinRMPassword", NO_CONNECTION],
  ["PackerHTTPAddr", NO_SERVER],
  ["PackerHTTPIP", NO_SERVER],
  ["PackerHTTPPort", NO_SERVER],
]);
