// Another implementation of C2PA than the one that signs (@trustnxt/c2pa-ts, in TypeScript throughout) reads an MP4: node
// credentials.mjs FILE. Prints what it finds as JSON: whether the file is what was signed, its checks, and what is claimed.
import { readFile } from "node:fs/promises";
import process from "node:process";
import { BMFF } from "@trustnxt/c2pa-ts/asset";
import { SuperBox } from "@trustnxt/c2pa-ts/jumbf";
import { ManifestStore } from "@trustnxt/c2pa-ts/manifest";

BMFF.canReadBrands.add("isom"); // it reads boxes of any kind, but lists the brands of HEIC pictures alone

const file = new BMFF(await readFile(process.argv[2]));
const store = ManifestStore.read(SuperBox.fromBuffer(file.getManifestJUMBF()));
const { isValid, statusEntries } = await store.validate(file);
const { assertions } = store.getActiveManifest().assertions;
const actions = assertions.flatMap((assertion) => assertion.actions ?? []);
console.log(
  JSON.stringify({
    valid: isValid,
    checks: Object.fromEntries(statusEntries.map(({ code, success }) => [code, success])),
    actions: actions.map(({ action, digitalSourceType, softwareAgent }) => ({ action, digitalSourceType, by: softwareAgent?.name })),
    ingredients: assertions.filter(({ label }) => label.startsWith("c2pa.ingredient")).length,
  }),
);
