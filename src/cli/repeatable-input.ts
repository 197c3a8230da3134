type Chunks = AsyncIterable<Uint8Array | string>;

/** Standard input can be read only once; a template that asks services for values is read again for each answer. */
export function repeatableInput(open: () => Chunks): () => Chunks {
  const chunks: (Uint8Array | string)[] = [];
  let rest: AsyncIterator<Uint8Array | string> | undefined;
  return async function* () {
    yield* [...chunks];
    rest ??= open()[Symbol.asyncIterator]();
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) {
      chunks.push(next.value);
      yield next.value;
    }
  };
}
