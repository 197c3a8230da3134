/** How a provisioner runs commands and moves files in the mounted image. */
export interface Communicator {
  /**
   * Runs a command line with `/bin/sh -c` inside the image, byte for byte as given.
   *
   * It is done when its process exits. Aborting the signal ends it and all that it started.
   *
   * @returns the exit code; 128 + n if a signal n killed it.
   */
  run(commandLine: string, options: CommunicatorRunOptions): Promise<number>;
  /**
   * Writes a file. A symlink of the image on the way is followed inside the image only.
   *
   * @param options.mode permission bits; an existing file keeps its own if missing.
   * @throws {ToolError} if it cannot be written; nothing outside the image is ever touched.
   */
  uploadBytes(content: Uint8Array, target: string, options: UploadOptions): Promise<void>;
  /** Copies a host file, with its permission bits. A target that is a directory gets the file's name. */
  uploadFile(source: string, target: string, options: TransferOptions): Promise<void>;
  /** Copies a host directory's tree; a trailing slash of `source` means its content only, as rsync does. */
  uploadDirectory(source: string, target: string, options: TransferOptions): Promise<void>;
  /** Copies a file out of the image. Directories of the host that `target` needs are made. */
  downloadFile(source: string, target: string, options: TransferOptions): Promise<void>;
  /** Copies a directory out of the image; slashes as in `uploadDirectory`. Makes `target` if it is missing. */
  downloadDirectory(source: string, target: string, options: TransferOptions): Promise<void>;
  /**
   * Removes a file, or a symlink and not what it leads to. One that is not there is no failure.
   *
   * @throws {ToolError} if it cannot be removed.
   */
  removeFile(path: string): Promise<void>;
  /** Whether `path` inside the image is a directory, links followed inside the image. */
  isDirectory(path: string): Promise<boolean>;
}

export interface TransferOptions {
  readonly signal: AbortSignal;
}

export interface UploadOptions extends TransferOptions {
  readonly mode?: number;
}

export interface CommunicatorRunOptions {
  readonly signal: AbortSignal;
  readonly onLine: (stream: "stdout" | "stderr", line: string) => void;
}
