package io.github.loragraph.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.TrainingArguments;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class TrainingDefaultsTest {
  @Test
  void trainWithoutOptionsIsWhatAProgramWithoutSettingsTrains() throws IllegalAccessException {
    TrainingOptions options = CommandLine.populateCommand(new TrainingOptions());
    TrainingArguments given = options.arguments(0).build();
    TrainingArguments usual = TrainingArguments.builder().build();
    int compared = 0;
    for (Field field : TrainingArguments.class.getDeclaredFields()) {
      if (!Modifier.isStatic(field.getModifiers())) {
        field.setAccessible(true);
        assertEquals(field.get(usual), field.get(given), field.getName());
        compared++;
      }
    }
    assertTrue(compared > 20, "settings are compared: " + compared);
  }
}
