/** How a wrapper around a driver's object is made: what it does not name goes to the object underneath. */

/** `target` with some members replaced or added; the others keep their own `this`, so that private fields work. */
export function overriding<T extends object, Added extends object = object>(target: T, overrides: Partial<T> & Added): T & Added {
  return new Proxy(target, {
    get(object, name) {
      if (Object.hasOwn(overrides, name)) return Reflect.get(overrides, name);
      const member: unknown = Reflect.get(object, name, object);
      return typeof member === "function" ? member.bind(object) : member;
    },
  }) as T & Added;
}
