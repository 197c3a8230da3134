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
  /** Copies a file out of the image. */
  downloadFile(source: string, target: string, options: TransferOptions): Promise<void>;
  /** Copies a directory out of the image; slashes as in `uploadDirectory`. */
  downloadDirectory(source: string, target: string, options: TransferOptions): Promise<void>;
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
