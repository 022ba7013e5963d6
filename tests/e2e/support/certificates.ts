import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** Whether certificates can be made here: Node makes none. */
export function hasOpenssl(): boolean {
  try {
    execFileSync("openssl", ["version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** A certificate authority of its own, in files of `folder`. @returns the path of its certificate */
export function makeAuthority(folder: string, name: string): string {
  const file = join(folder, `${name}.pem`);
  const subject = ["-subj", `/CN=${name}`, "-days", "2"];
  openssl(folder, ["req", "-x509", ...KEY, "-keyout", `${name}.key`, "-out", file, ...subject]);
  return file;
}

/** What a server at localhost proves itself with, signed by an authority that makeAuthority made there. */
export function makeServerCertificate(folder: string, authority: string): { certificate: string; key: string } {
  const [certificate, key] = [join(folder, "server.pem"), join(folder, "server.key")];
  openssl(folder, ["req", ...KEY, "-keyout", key, "-out", "server.csr", "-subj", "/CN=localhost"]);
  writeFileSync(join(folder, "names.cnf"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
  const signer = ["-CA", `${authority}.pem`, "-CAkey", `${authority}.key`, "-CAcreateserial"];
  openssl(folder, [
    "x509",
    "-req",
    "-in",
    "server.csr",
    ...signer,
    "-out",
    certificate,
    "-days",
    "2",
    "-extfile",
    "names.cnf",
  ]);
  return { certificate, key };
}

function openssl(folder: string, args: readonly string[]): void {
  execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
}
