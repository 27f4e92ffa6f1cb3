import { createReadStream } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { createServer, STATUS_CODES, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize, sep } from "node:path";
import { UserError } from "../../pipeline/errors.js";

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".webp": "image/webp",
  ".arrow": "application/vnd.apache.arrow.file",
  ".woff2": "font/woff2",
};

const plain = "text/plain; charset=utf-8";

export interface SiteServer {
  /** `http://127.0.0.1:PORT/` */
  readonly address: string;
  close(): Promise<void>;
}

/** Serves a folder on 127.0.0.1 only. Port 0 takes any free one. */
export async function serveSite(folder: string, port: number): Promise<SiteServer> {
  const root = await realpath(folder);
  const server = createServer((request, response) => {
    const refusal = refused(request);
    if (refusal !== null) {
      response
        .writeHead(refusal, {
          "content-type": plain,
          ...(refusal === 405 && { allow: "GET, HEAD" }),
        })
        .end(`${STATUS_CODES[refusal]}\n`);
      return;
    }
    answer(root, request.url ?? "/").then(
      (file) => {
        if (file === null) {
          response.writeHead(404, { "content-type": plain }).end("Not found\n");
          return;
        }
        response.writeHead(200, {
          "content-type": types[extname(file)] ?? "application/octet-stream",
          "cache-control": "no-cache",
          "x-content-type-options": "nosniff",
        });
        if (request.method === "HEAD") response.end();
        else
          createReadStream(file)
            .on("error", () => response.destroy())
            .pipe(response);
      },
      () => response.writeHead(400).end(),
    );
  });
  await listen(server, port);
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/**
 * The status that refuses a request; null for one that is answered. A page elsewhere whose name is
 * made to mean this machine (DNS rebinding) sends its own name as host.
 */
function refused({ method, headers, socket }: IncomingMessage): number | null {
  const port = socket.localPort;
  const hosts = ["127.0.0.1", "localhost", "[::1]"].flatMap((name) =>
    port === 80 ? [name, `${name}:80`] : [`${name}:${port}`],
  );
  if (!hosts.includes(headers.host?.toLowerCase() ?? "")) return 403;
  return method === "GET" || method === "HEAD" ? null : 405;
}

/** The file that a request means: never one outside the folder, nor by way of a link. */
async function answer(folder: string, url: string): Promise<string | null> {
  const path = normalize(
    join(folder, decodeURIComponent(new URL(url, "http://127.0.0.1").pathname)),
  );
  if (path !== normalize(folder) && !path.startsWith(normalize(folder + sep))) return null;
  for (const file of [path, join(path, "index.html"), `${path}.html`]) {
    const real = await realpath(file).catch(() => null);
    if (real === null || !real.startsWith(normalize(folder + sep))) continue;
    if ((await stat(real).catch(() => null))?.isFile()) return real;
  }
  return null;
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const fixes: Record<string, string> = {
        EADDRINUSE: "choose another with --port, or --port 0 for any free one",
        EACCES: "choose a port from 1024 up",
      };
      const fix = fixes[error.code ?? ""];
      reject(
        fix === undefined
          ? error
          : new UserError({
              code: "port",
              message: `port ${port} cannot be had`,
              found: error.code ?? "",
              fix,
            }),
      );
    });
    server.listen(port, "127.0.0.1", () => resolve());
  });
}
