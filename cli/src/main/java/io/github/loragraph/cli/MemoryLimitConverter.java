package io.github.loragraph.cli;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.trainer.MemoryLimit;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads what the process of a training may take. */
final class MemoryLimitConverter implements ITypeConverter<MemoryLimit> {
  @Override
  public MemoryLimit convert(String value) {
    try {
      return MemoryLimit.parse(value);
    } catch (LoraGraphException e) {
      throw new TypeConversionException(e.getMessage());
    }
  }
}
