interface Flight<Owner, Result> {
  readonly owner: Owner;
  readonly result: Promise<Result>;
}

/**
 * Work that is done once for all who want its result at the same time.
 *
 * Each owner works in a way of its own, which may be wrong for it alone (credentials) or end with it (a client that is
 * killed). So an owner gets only its own failures: if another one's work fails, it does the work itself.
 */
export class Flights<Key, Owner, Result> {
  readonly #underWay = new Map<Key, Flight<Owner, Result>>();

  async join(key: Key, owner: Owner, work: () => Promise<Result>): Promise<Result> {
    for (;;) {
      const flight = this.#underWay.get(key);
      if (flight === undefined) return this.#begin(key, owner, work);
      try {
        return await flight.result;
      } catch (error) {
        if (flight.owner === owner) throw error;
      }
    }
  }

  #begin(key: Key, owner: Owner, work: () => Promise<Result>): Promise<Result> {
    const result = work().finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, { owner, result });
    return result;
  }
}
