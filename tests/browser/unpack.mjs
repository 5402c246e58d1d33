// The Chromium that @sparticuz/chromium carries as brotli files, unpacked once beside the package.
//
// The package itself unpacks into the temp folder, where a half-written file is taken for a whole one for ever after and
// any other user could have put a program of that name. Here it is unpacked under node_modules, into a folder that gets
// its final name only when it is complete. Its own libraries come along, so that glibc is all the machine has to have.

import { mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const modules = join(dirname(fileURLToPath(import.meta.url)), "node_modules");
const archives = ["chromium.br", "fonts.tar.br", "al2023.tar.br"];

// Returns { program, environment }: the path of the browser and the environment it has to start with.
export async function unpackedChromium() {
  const bundle = join(modules, "@sparticuz", "chromium");
  const { version } = JSON.parse(await readFile(join(bundle, "package.json"), "utf8"));
  const folder = join(modules, ".cache", `chromium-${version}`);
  if (!(await exists(folder))) await unpack(join(bundle, "bin"), folder);
  const fontsConf = await writeFontsConf(folder);
  const libraries = [join(folder, "al2023", "lib"), process.env.LD_LIBRARY_PATH].filter(Boolean).join(":");
  const environment = { ...process.env, LD_LIBRARY_PATH: libraries, FONTCONFIG_FILE: fontsConf };
  return { program: join(folder, "chromium"), environment };
}

async function unpack(bin, folder) {
  await mkdir(dirname(folder), { recursive: true });
  const unfinished = await mkdtemp(`${folder}-`);
  await withTemporaryFolder(unfinished, async () => {
    const { inflate } = await import("@sparticuz/chromium");
    await Promise.all(archives.map((archive) => inflate(join(bin, archive))));
  });
  try {
    await rename(unfinished, folder);
  } catch (problem) {
    await rm(unfinished, { recursive: true, force: true });
    if (!(await exists(folder))) throw problem; // otherwise another process was faster, and its copy is as good
  }
}

// Open Sans comes with the package, so that text is as wide on every machine; other glyphs from the system's fonts.
async function writeFontsConf(folder) {
  const path = join(tmpdir(), "fonts.conf");
  const preferred = { "system-ui": ["Open Sans"], "sans-serif": ["Open Sans"], monospace: ["Liberation Mono", "DejaVu Sans Mono"] };
  const aliases = Object.entries(preferred).map(([family, fonts]) =>
    `<alias><family>${family}</family><prefer>${fonts.map((font) => `<family>${font}</family>`).join("")}</prefer></alias>`);
  const folders = [join(folder, "fonts"), "/usr/share/fonts", "/usr/local/share/fonts"].map((one) => `<dir>${one}</dir>`);
  const settings = [...folders, `<cachedir>${join(folder, "font-cache")}</cachedir>`, ...aliases].join("\n");
  await writeFile(path, `<?xml version="1.0"?>\n<!DOCTYPE fontconfig SYSTEM "fonts.dtd">\n<fontconfig>\n${settings}\n</fontconfig>\n`);
  return path;
}

// The package writes to os.tmpdir(), which reads TMPDIR whenever it is asked.
async function withTemporaryFolder(folder, work) {
  const before = process.env.TMPDIR;
  process.env.TMPDIR = folder;
  try {
    await work();
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  }
}

async function exists(path) {
  return stat(path).then(() => true, () => false);
}
