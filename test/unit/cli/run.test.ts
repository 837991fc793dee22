import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { sources } from "../../../sources/index.ts";
import { run } from "../../../src/cli/run.ts";
import { folderOf, rule, runWith } from "../../support/rules-command.ts";
import { auditEvent } from "../audit/support.ts";

const at = (second: number, extra: object = {}): string =>
  auditEvent({ stageTimestamp: `2024-03-01T10:00:${String(second).padStart(2, "0")}Z`, ...extra }, `e${second}`);

const lines = (out: string): readonly string[] => out.split("\n").filter((line) => / Warning /.test(line));

test("folders are read in byte order, links followed, tests and other files left out; -r and its order decide", async () => {
  const {
    dir,
    at: path,
    remove,
  } = folderOf({
    "rules.d/b.yaml": rule("b", "ka.verb = get"),
    "rules.d/B.yml": rule("B", "ka.verb = get"),
    "rules.d/b.test.yaml": "not: rules",
    "rules.d/notes.txt": "not rules",
    "rules.d/sub/c.yaml": "not read",
    "a.yaml": rule("a", "ka.verb = get"),
    "e.jsonl": at(1, { verb: "get" }),
  });
  try {
    const all = ["-o", "rule_matching=all", path("e.jsonl")];
    const { out, err } = await runWith(run, ["-r", path("rules.d/"), "-r", path("a.yaml"), ...all]);
    assert.deepEqual(
      Array.from(err.matchAll(/^ {3}(\S+) \| schema validation: ok$/gm), ([, name]) => name?.slice(dir.length + 1)),
      ["rules.d/B.yml", "rules.d/b.yaml", "a.yaml"],
    );
    assert.match(out, /Triggered rules by rule name:\n {3}B: 1\n {3}b: 1\n {3}a: 1\n$/);
  } finally {
    remove();
  }
});

test("-D, -T and -t switch rules off and on by part of a name and by tag, and -t excludes the others", async () => {
  const { at: path, remove } = folderOf({
    "r.yaml": ["aab one", "two", "three"].map((name, i) => rule(name, "ka.verb exists", { tags: [`t${i}`] })).join(""),
    "e.jsonl": at(1, { verb: "get" }),
  });
  const fired = async (...args: string[]) => {
    const { out } = await runWith(run, ["-r", path("r.yaml"), "-o", "rule_matching=all", ...args, path("e.jsonl")]);
    return Array.from(out.slice(out.indexOf("Triggered")).matchAll(/^ {3}(.*): 1$/gm), ([, name]) => name);
  };
  try {
    assert.deepEqual(await fired("-D", "ab o"), ["two", "three"]);
    assert.deepEqual(await fired("-T", "t0", "-T", "t2"), ["two"]);
    assert.deepEqual(await fired("-t", "t2", "-t", "t0"), ["aab one", "three"]);
    assert.deepEqual(await fired("-o", "rules[].disable.rule=t*"), ["aab one"]);
    const both = await runWith(run, ["-t", "a", "-T", "b"]);
    assert.deepEqual(both, {
      code: 1,
      out: "",
      err: "Error: You can not specify both disabled (-D/-T) and enabled (-t) rules\n",
    });
  } finally {
    remove();
  }
});

test("standard input is read plain or gzip, lines of megabytes too, and bad lines are skipped by their number", async () => {
  const { at: path, remove } = folderOf({ "r.yaml": rule("r", "ka.verb = get") });
  const long = at(2, { verb: "get", userAgent: "x".repeat(3 << 20) });
  const text = Buffer.from(
    `${at(1, { verb: "get" })}\n{"kind":"Event"\n\n${long}\n{"kind":"Pod"}\n${at(3, { verb: "get" })}`,
  );
  try {
    for (const input of [text, gzipSync(text)]) {
      const chunks = [input.subarray(0, 1), input.subarray(1, 1000), input.subarray(1000)];
      const { code, out, err } = await runWith(run, ["-r", path("r.yaml"), "-"], chunks);
      assert.equal(code, 0);
      assert.deepEqual(
        lines(out).map((line) => line.slice(-2)),
        ["e1", "e2", "e3"],
      );
      assert.deepEqual(
        Array.from(err.matchAll(/^-:(\d+): skipped: /gm), ([, n]) => n),
        ["2", "5"],
      );
    }
  } finally {
    remove();
  }
});

test("-M counts the time of events from the first one, and what comes after is not judged", async () => {
  const { at: path, remove } = folderOf({
    "r.yaml": rule("r", "ka.verb = get"),
    "e.jsonl": [5, 3, 7, 8, 6].map((second) => at(second, { verb: "get" })).join("\n"),
  });
  try {
    const { code, out } = await runWith(run, ["-M", "3", "-r", path("r.yaml"), path("e.jsonl")]);
    assert.equal(code, 0);
    assert.deepEqual(
      lines(out).map((line) => line.slice(-2)),
      ["e5", "e3", "e7"],
    );
    assert.match(out, /^Events detected: 3$/m);
  } finally {
    remove();
  }
});

test("several files are one capture; one that cannot be read makes exit code 1 and does not stop the others", async () => {
  const { at: path, remove } = folderOf({
    "r.yaml": rule("r", "evt.num exists", { output: "%evt.num %ka.auditid" }),
    "1.jsonl": at(1),
    "2.jsonl": at(2),
  });
  try {
    const files = [path("1.jsonl"), path("none.jsonl"), path("2.jsonl")];
    const { code, out, err } = await runWith(run, ["-r", path("r.yaml"), ...files]);
    assert.equal(code, 1);
    assert.match(err, /^Error: .*none\.jsonl: no such file$/m);
    assert.match(out, /1 e1\n.*2 e2\nEvents detected: 2\n/);
  } finally {
    remove();
  }
});

test("faults of the command line and of falco.yaml are Falco's Error and exit code 1, and print nothing else", async () => {
  const { at: path, remove } = folderOf({
    "r.yaml": rule("r", "ka.verb exists"),
    "none.yaml": "rules_files: [/nowhere/a.yaml]\n",
    "eks.yaml": "plugins: [{name: cloudtrail, library_path: x}]\n",
  });
  try {
    for (const [args, message] of [
      [["-c", path("missing.yaml")], /^Error: Could not find configuration file at .*missing\.yaml\n$/],
      [["-c"], /^Error: Option ‘c’ is missing an argument\n$/],
      [["-M", "soon"], /^Error: Argument ‘soon’ failed to parse\n$/],
      [["--describe-all"], /^Error: Option ‘describe-all’ does not exist\n$/],
      [["-V", path("nothing.yaml")], /^Error: Could not open file .*nothing\.yaml for reading\n$/],
      [["-c", path("none.yaml"), "-"], /is not there and is left out\nError: You must specify at least one rules file/],
      [["-r", path("r.yaml")], /Error: no events: name a file of JSON lines, or - for standard input\n$/],
      [["-r", path("r.yaml"), "-l", "nosuch"], /Error: Rule "nosuch" is not loaded\n$/],
      [
        ["-r", path("r.yaml"), "-c", path("eks.yaml"), "-"],
        /Error: no plugin that falco.yaml loads reads audit events\n$/,
      ],
      [
        ["-r", path("r.yaml"), "--enable-source", "syscall", "-"],
        /^Error: Attempted enabling an unknown event source: syscall\n$/,
      ],
    ] as const) {
      const { code, out, err } = await runWith(run, args);
      assert.match(err, message, args.join(" "));
      assert.deepEqual([code, out], [1, ""], args.join(" "));
    }
  } finally {
    remove();
  }
});

test("validation lists the errors behind the first on standard error, after Falco's own text", async () => {
  const { at: path, remove } = folderOf({ "r.yaml": rule("a", "ka.nosuch = 1") + rule("b", "ka.none = 1") });
  try {
    const { code, out, err } = await runWith(run, ["-V", path("r.yaml")]);
    assert.equal(code, 1);
    assert.match(out, /Invalid\n1 Errors:\n/);
    assert.doesNotMatch(out, /ka\.none$/m);
    assert.match(
      err,
      /nonexistent field ka\.nosuch\n\n1 further errors:\nIn rules content[\s\S]*nonexistent field ka\.none\n/,
    );
  } finally {
    remove();
  }
});

test("-l describes one rule, as text or as JSON with its condition compiled", async () => {
  const yaml = `- list: users\n  items: [a b, "c"]\n- macro: m\n  condition: ka.user.name in (users)\n${rule("r", 'm or not (ka.verb = get and ka.uri.param[x] = "y z")')}`;
  const { at: path, remove } = folderOf({ "r.yaml": yaml });
  try {
    const text = await runWith(run, ["-r", path("r.yaml"), "-l", "r"]);
    assert.match(text.out, /^Rule {47}Description\n-{4} {47}-{11}\nr {50}about r\n\n$/);
    const json = await runWith(run, ["-r", path("r.yaml"), "-l", "r", "-o", "json_output=true"]);
    const { rules, lists } = JSON.parse(json.out);
    assert.equal(lists, undefined);
    assert.equal(
      rules[0].details.condition_compiled,
      '(ka.user.name in ("a b", c) or not (ka.verb = get and ka.uri.param[x] = "y z"))',
    );
    assert.deepEqual(rules[0].details.condition_fields, ["ka.uri.param[x]", "ka.user.name", "ka.verb"]);
    assert.deepEqual(rules[0].details.macros, ["m"]);
  } finally {
    remove();
  }
});

test("falco.yaml's own plugin names the file of events when the command line does not", async () => {
  const {
    at: path,
    write,
    remove,
  } = folderOf({ "r.yaml": rule("r", "ka.verb = get"), "e.jsonl": at(1, { verb: "get" }) });
  try {
    const plugin = { name: "k8saudit", library_path: "libk8saudit.so", open_params: path("e.jsonl") };
    const falco = write("falco.yaml", JSON.stringify({ plugins: [plugin], rules_files: [path("r.yaml")] }));
    const { code, out } = await runWith(run, ["-c", falco]);
    assert.equal(code, 0);
    assert.equal(lines(out).length, 1);
  } finally {
    remove();
  }
});

test("outputs of falco.yaml that run does not feed are named, its config_files are read", async () => {
  const { at: path, remove } = folderOf({ "r.yaml": rule("a", "ka.verb = get"), "e.jsonl": at(1, { verb: "get" }) });
  try {
    writeFileSync(
      path("more.yaml"),
      `rules_files: ['${path("r.yaml")}']\nhttp_output: {enabled: true, url: 'http://a/'}\n`,
    );
    writeFileSync(path("falco.yaml"), `config_files: ['${path("more.yaml")}']\nfile_output: {enabled: false}\n`);
    const { code, out, err } = await runWith(run, ["-c", path("falco.yaml"), path("e.jsonl")]);
    assert.deepEqual([code, lines(out).length], [0, 1]);
    assert.match(err, /^http_output: not used by run, which prints alerts; the hub sends them$/m);
  } finally {
    remove();
  }
});

test("a falco.yaml that loads only the json plugin has no audit rules; --version says the version and needs no rules", async () => {
  const { at: path, remove } = folderOf({
    "r.yaml": rule("a", "ka.verb = get"),
    "json.yaml": "load_plugins: [json]\n",
    "both.yaml": "load_plugins: [k8saudit, json]\n",
    "e.jsonl": at(1, { verb: "get" }),
  });
  try {
    const validate = (file: string) => runWith(run, ["-c", path(file), "-V", path("r.yaml")]);
    assert.match((await validate("json.yaml")).err, /Unknown source k8s_audit, skipping/);
    assert.doesNotMatch((await validate("both.yaml")).err, /Unknown source/);
    const ran = await runWith(run, ["-c", path("both.yaml"), "-r", path("r.yaml"), path("e.jsonl")]);
    assert.match(ran.out, /Events detected: 1/);
    const { code, out } = await runWith(run, ["--version"]);
    assert.equal(code, 0);
    assert.match(out, /^eyrie \d+\.\d+\.\d+\n$/);
  } finally {
    remove();
  }
});

test("--follow judges what is in the file and what is appended, reports bad lines, and ends when event time is over", async () => {
  const { at: path, remove } = folderOf({
    "r.yaml": rule("a", "ka.verb = get"),
    "e.jsonl": `${at(1, { verb: "get" })}\n{oops\n${at(2, { verb: "get" })}\n`,
  });
  try {
    let [out, err] = ["", ""];
    let appended = false;
    const code = await run(["-r", path("r.yaml"), "--follow", "-M", "30", path("e.jsonl")], {
      env: { FALCO_HOSTNAME: "host" },
      stdin: process.stdin,
      stdout: {
        write: (text) => {
          out += text;
          if (appended) return;
          appended = true;
          appendFileSync(path("e.jsonl"), `${at(3, { verb: "get" })}\n`);
          renameSync(path("e.jsonl"), path("e.jsonl.1"));
          writeFileSync(path("e.jsonl"), `${at(4, { verb: "get" })}\n${at(59, { verb: "get" })}\n`);
        },
      },
      stderr: { write: (text) => (err += text) },
      outputs: [],
      sources,
    });
    assert.equal(code, 0);
    assert.match(err, /e\.jsonl:2: bad line skipped: not JSON/);
    assert.equal(lines(out).length, 4);
    assert.match(out, /Events detected: 4\n/);
    mkdirSync(path("folder"));
    const folder = await runWith(run, ["-r", path("r.yaml"), "--follow", path("folder")]);
    assert.deepEqual([folder.code, /a folder cannot be followed/.test(folder.err)], [1, true]);
    const none = await runWith(run, ["-r", path("r.yaml"), "--follow", "-"]);
    assert.deepEqual([none.code, none.err.split("\n").at(-2)], [1, "Error: --follow takes one file"]);
  } finally {
    remove();
  }
});
