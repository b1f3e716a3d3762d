package io.github.loragraph.cli;

import io.github.loragraph.lora.Method;

/** Reads what is trained by its name on the command line. */
final class MethodConverter extends NameConverter<Method> {
  MethodConverter() {
    super(Method.values());
  }
}
