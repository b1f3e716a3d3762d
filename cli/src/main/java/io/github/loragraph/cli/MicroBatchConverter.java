package io.github.loragraph.cli;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.trainer.MicroBatch;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads how much of a batch is computed at once. */
final class MicroBatchConverter implements ITypeConverter<MicroBatch> {
  @Override
  public MicroBatch convert(String value) {
    try {
      return MicroBatch.parse(value);
    } catch (LoraGraphException e) {
      throw new TypeConversionException(e.getMessage());
    }
  }
}
