package io.github.loragraph.cli;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.trainer.LearningRateSchedule;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Schedules by the names that transformers have for them. */
final class ScheduleConverter implements ITypeConverter<LearningRateSchedule.Decay> {
  @Override
  public LearningRateSchedule.Decay convert(String value) {
    try {
      return LearningRateSchedule.Decay.of(value);
    } catch (LoraGraphException e) {
      throw new TypeConversionException(AdviceText.message(e));
    }
  }
}
