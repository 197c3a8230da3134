// No AWS_ name among them: a script of the image must be told of the host's keys by name, in `pass_environment`.
const PROXY_NAMES = ["http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy"];

/**
 * The environment that every command in the image starts with. Of the host's it has the terminal type, the proxies,
 * and what the template asks for by name; what the host does not set is left out.
 */
export function imageEnvironment(
  host: Readonly<Record<string, string | undefined>>,
  passedNames: readonly string[],
): Record<string, string> {
  const proxyNames = [...PROXY_NAMES, ...PROXY_NAMES.map((name) => name.toUpperCase())];
  const passed = [...proxyNames, ...passedNames].flatMap((name) => {
    const value = host[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    HOME: "/root",
    TERM: host["TERM"] || "dumb",
    LANG: "C.UTF-8",
    LC_ALL: "C.UTF-8",
    ...Object.fromEntries(passed),
  };
}
