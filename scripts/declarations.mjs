// Leaves of the declarations in dist what users can come to: the statements that an entry exports, those that these name, and so on.
// Everything else declares what is internal, and would be a third of what TypeScript reads.
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const ENDING = ".d.ts";
/** In a declaration file of tsc, only statements and the comments before them begin at the margin. */
const BEGINNING =
  /^(?:\/\*\*|\/\/|import\b|export\b|declare\b|interface\b|type\b|class\b|abstract\b|function\b|const\b|enum\b)/;
const DECLARED = /^(?:export )?(?:declare )?(?:abstract )?(?:class|interface|type|function|const|enum) (\w+)/m;
const IMPORT = /^import (?:type )?\{([^}]*)\} from "([^"]+)";/m;
const REEXPORT = /^export (?:type )?(?:\{([^}]*)\}|\*) from "([^"]+)";/m;

/** @param {string[]} entries the declarations that package.json names @param {string[]} all every declaration file */
export function pruneDeclarations(entries, all) {
  const modules = new Map();
  const moduleOf = (file) => {
    if (!modules.has(file)) modules.set(file, existsSync(file) ? parsed(file) : undefined);
    return modules.get(file);
  };
  const waiting = [];
  const want = (file, name) => {
    const module = moduleOf(file);
    if (module === undefined) return;
    for (const statement of module.statements) {
      const isWanted = name === undefined ? !statement.isImport : statement.names.includes(name) || statement.all;
      if (!isWanted || statement.isImport || statement.kept) continue;
      statement.kept = true;
      waiting.push({ module, statement });
    }
  };
  for (const entry of entries) want(entry);
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { module, statement } = next;
    if (statement.from !== undefined) for (const name of statement.sources) want(statement.from, name);
    for (const [, path, name] of statement.code.matchAll(/\bimport\("(\.[^"]+)\.js"\)\.(\w+)/g)) {
      want(join(dirname(module.file), path + ENDING), name);
    }
    for (const word of new Set(statement.code.match(/\b[A-Za-z_]\w*\b/g))) {
      want(module.file, word);
      for (const imported of module.statements.filter(({ isImport, names }) => isImport && names.includes(word))) {
        imported.used.add(word);
        if (imported.from !== undefined) want(imported.from, imported.sources[imported.names.indexOf(word)]);
      }
    }
  }
  for (const file of all) write(file, modules.get(file));
}

function parsed(file) {
  const blocks = [];
  let isAfterComment = false;
  for (const line of readFileSync(file, "utf8").trimEnd().split("\n")) {
    if (blocks.length === 0 || (BEGINNING.test(line) && !isAfterComment)) blocks.push([]);
    blocks.at(-1).push(line);
    // What follows a comment at the margin belongs to it.
    if (/^(?:\/\*\*|\/\/)/.test(line)) isAfterComment = true;
    else if (BEGINNING.test(line)) isAfterComment = false;
  }
  return { file, statements: blocks.map((lines) => statementOf(file, lines.join("\n"))) };
}

function statementOf(file, text) {
  const code = text.replace(/\/\*\*[\s\S]*?\*\//g, "").replace(/^\/\/.*$/gm, "");
  const imported = IMPORT.exec(code);
  const [, list, specifier] = imported ?? REEXPORT.exec(code) ?? [];
  const pairs = (list ?? "").split(",").flatMap((one) => {
    const [source = "", name = source] = one
      .trim()
      .replace(/^type /, "")
      .split(" as ");
    return source === "" ? [] : [{ source, name }];
  });
  const from = specifier?.startsWith(".") ? join(dirname(file), specifier.replace(/\.js$/, ENDING)) : undefined;
  const declared = DECLARED.exec(code)?.[1];
  return {
    text,
    code,
    isImport: imported !== null,
    /** `export *` passes on all that is exported there. */
    all: imported === null && specifier !== undefined && list === undefined,
    from,
    sources: list === undefined && specifier !== undefined ? [undefined] : pairs.map(({ source }) => source),
    names: declared === undefined ? pairs.map(({ name }) => name) : [declared],
    used: new Set(),
    kept: false,
  };
}

function write(file, module) {
  const kept = module?.statements.filter(({ isImport, kept, used }) => (isImport ? used.size > 0 : kept)) ?? [];
  if (kept.every(({ isImport }) => isImport)) return rmSync(file, { force: true });
  writeFileSync(file, `${kept.map(textOf).join("\n")}\n`);
}

/** An import without the names that nothing uses any more. */
function textOf({ isImport, text, names, sources, used }) {
  if (!isImport || used.size === names.length) return text;
  const left = names.flatMap((name, n) =>
    used.has(name) ? [name === sources[n] ? name : `${sources[n]} as ${name}`] : [],
  );
  return text.replace(/^(import (?:type )?)\{[^}]*\}/m, `$1{ ${left.join(", ")} }`);
}
