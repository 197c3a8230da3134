import { loadCrypto } from "../../../base/load-builtin.ts";
import { stringValue } from "../values/construct.ts";
import { type HclValue, NUMBER, STRING } from "../values/value.ts";
import {
  badArgument,
  blame,
  countAt,
  type HclFunctionGroup,
  textAt,
  textFunction,
  textParameter,
} from "./arguments.ts";
import { type EagerFunction, HclFunctionError } from "./hcl-function.ts";
import { loadBcrypt } from "./load-package.ts";
import { decodeBase64, decodeUtf8, EncodingError } from "./text-encoding.ts";

export const CRYPTO_FUNCTIONS: HclFunctionGroup = {
  bcrypt: {
    usage: 'bcrypt("password", 10)',
    summary: "A bcrypt hash, another one each time; the cost is 10 if it is left out",
    parameters: [textParameter("str")],
    variadic: { name: "cost", type: NUMBER },
    returnType: STRING,
    call: bcrypt,
  },
  md5: hash("md5"),
  rsadecrypt: {
    usage: 'rsadecrypt(filebase64("ciphertext"), file("private.pem"))',
    summary: "A text that was encrypted with RSA (PKCS #1 v1.5) and is in base64, by its private key in PEM",
    parameters: [textParameter("ciphertext"), textParameter("privatekey")],
    returnType: STRING,
    call: (args) => stringValue(decryptRsa(textAt(args, 0), textAt(args, 1))),
  },
  sha1: hash("sha1"),
  sha256: hash("sha256"),
  sha512: hash("sha512"),
  uuidv4: {
    usage: "uuidv4()",
    summary: "A random UUID, another one each time",
    parameters: [],
    returnType: STRING,
    call: () => stringValue(loadCrypto().randomUUID()),
  },
  uuidv5: textFunction(
    {
      usage: 'uuidv5("dns", "www.example.com")',
      summary: "The UUID of a name in a namespace: dns, url, oid, x500, or a UUID",
      parameters: ["namespace", "name"],
    },
    uuidOfName,
  ),
};

function hash(algorithm: "md5" | "sha1" | "sha256" | "sha512"): EagerFunction {
  const summary = `The ${algorithm.toUpperCase()} hash of the text, in hexadecimal digits`;
  return textFunction({ usage: `${algorithm}("text")`, summary, parameters: ["str"] }, (text = "") =>
    loadCrypto().createHash(algorithm).update(text).digest("hex"),
  );
}

const COST_DEFAULT = 10;
// Each step doubles the time: 16 takes seconds, 31 a day. Go's own are 4 to 31.
const COST_MAX = 16;

function bcrypt(args: readonly HclValue[]): HclValue {
  if (args.length > 2) throw new HclFunctionError("only a text and a cost are taken");
  const given = args.length > 1 ? countAt(args, 1) : COST_DEFAULT;
  if (given > COST_MAX) throw badArgument(1, `a cost of ${given} would take too long: the most is ${COST_MAX}`);
  // Go takes its default for what is too low.
  const cost = given < 4 ? COST_DEFAULT : given;
  const hashed = loadBcrypt().hashSync(textAt(args, 0), cost);
  // The same hash under the name that Go gives it.
  return stringValue(hashed.replace(/^\$2b\$/, "$2a$"));
}

function decryptRsa(ciphertext: string, key: string): string {
  const { createPrivateKey, privateDecrypt, constants } = loadCrypto();
  const bytes = blame(EncodingError, 0, () => decodeBase64(ciphertext));
  let privateKey: ReturnType<typeof createPrivateKey>;
  try {
    privateKey = createPrivateKey(key);
  } catch {
    // Node's reasons are OpenSSL's, and may quote the key.
    throw badArgument(1, "this is no private RSA key in PEM without a password");
  }
  if (privateKey.asymmetricKeyType !== "rsa")
    throw badArgument(1, `a key of RSA is needed, not of ${privateKey.asymmetricKeyType}`);
  const keyBits = privateKey.asymmetricKeyDetails?.modulusLength ?? 0;
  if (bytes.length * 8 !== keyBits) {
    throw badArgument(0, `the encrypted text has ${bytes.length} bytes, and with this key ${keyBits / 8}`);
  }
  const padded = privateDecrypt({ key: privateKey, padding: constants.RSA_NO_PADDING }, bytes);
  // Node refuses this padding, since a server that answers differently to a wrong one gives its key away. Nobody asks here.
  const end = padded.indexOf(0, 2);
  if (padded[0] !== 0 || padded[1] !== 2 || end < 10) throw badArgument(0, "the text was not encrypted for this key");
  return blame(EncodingError, 0, () => decodeUtf8(padded.subarray(end + 1)));
}

const NAMESPACES: ReadonlyMap<string, string> = new Map([
  ["dns", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"],
  ["url", "6ba7b811-9dad-11d1-80b4-00c04fd430c8"],
  ["oid", "6ba7b812-9dad-11d1-80b4-00c04fd430c8"],
  ["x500", "6ba7b814-9dad-11d1-80b4-00c04fd430c8"],
]);

// RFC 4122, 4.3: the hash of the namespace and the name, with the version and the variant in their places.
function uuidOfName(namespace = "", name = ""): string {
  const space = NAMESPACES.get(namespace) ?? namespace;
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(space)) {
    throw badArgument(0, `${JSON.stringify(namespace)} is no namespace`, "Use dns, url, oid, x500 or a UUID");
  }
  const bytes = loadCrypto()
    .createHash("sha1")
    .update(Buffer.from(space.replaceAll("-", ""), "hex"))
    .update(name)
    .digest();
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join("-");
}
