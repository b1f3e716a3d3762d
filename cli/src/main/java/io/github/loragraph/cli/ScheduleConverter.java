package io.github.loragraph.cli;

import io.github.loragraph.trainer.LearningRateSchedule;

/** Reads a schedule of the learning rate by its name on the command line. */
final class ScheduleConverter extends NameConverter<LearningRateSchedule.Decay> {
  ScheduleConverter() {
    super(LearningRateSchedule.Decay.values());
  }
}
