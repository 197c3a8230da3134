// Which properties of Packer's JSON form are blocks. The native form needs no such list: braces tell.

/** What stands for a block in a body, by its type. Everything else in the body is an attribute. */
export type BlockSchema = ReadonlyMap<string, BlockShape>;

export interface BlockShape {
  readonly labelCount: number;
  /** The blocks in its body. Missing where a component decides: a builder, a provisioner, a post-processor, a data source. */
  readonly blocks?: BlockSchema;
}

const NO_BLOCKS: BlockSchema = new Map();
const COMPONENT: BlockShape = { labelCount: 1 };

/** What its `content` is, only its label tells. */
const DYNAMIC: BlockShape = { labelCount: 1, blocks: new Map([["content", { labelCount: 0 }]]) };

const POST_PROCESSORS: BlockShape = {
  labelCount: 0,
  blocks: new Map([
    ["post-processor", COMPONENT],
    ["dynamic", DYNAMIC],
  ]),
};

const BUILD: BlockSchema = new Map<string, BlockShape>([
  ["source", COMPONENT],
  ["provisioner", COMPONENT],
  ["error-cleanup-provisioner", COMPONENT],
  ["post-processor", COMPONENT],
  ["post-processors", POST_PROCESSORS],
  ["dynamic", DYNAMIC],
  ["hcp_packer_registry", { labelCount: 0, blocks: NO_BLOCKS }],
]);

const VARIABLE: BlockSchema = new Map([["validation", { labelCount: 0, blocks: NO_BLOCKS }]]);

const PACKER: BlockSchema = new Map([["required_plugins", { labelCount: 0, blocks: NO_BLOCKS }]]);

/** Of a `.pkr.json` file. */
export const PACKER_BLOCKS: BlockSchema = new Map<string, BlockShape>([
  ["packer", { labelCount: 0, blocks: PACKER }],
  ["variable", { labelCount: 1, blocks: VARIABLE }],
  ["variables", { labelCount: 0, blocks: NO_BLOCKS }],
  ["locals", { labelCount: 0, blocks: NO_BLOCKS }],
  ["local", { labelCount: 1, blocks: NO_BLOCKS }],
  ["source", { labelCount: 2 }],
  ["data", { labelCount: 2 }],
  ["build", { labelCount: 0, blocks: BUILD }],
  ["dynamic", DYNAMIC],
  ["hcp_packer_registry", { labelCount: 0, blocks: NO_BLOCKS }],
]);

/** Of a `.pkrvars.json` file: values of variables, and nothing else. */
export const VARIABLE_FILE_BLOCKS: BlockSchema = NO_BLOCKS;
