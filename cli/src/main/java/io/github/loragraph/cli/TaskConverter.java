package io.github.loragraph.cli;

import io.github.loragraph.evaluation.Task;
import java.util.Arrays;
import java.util.stream.Collectors;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads a task by its name on the command line. */
final class TaskConverter implements ITypeConverter<Task> {
  @Override
  public Task convert(String value) {
    return Arrays.stream(Task.values())
        .filter(task -> task.toString().equals(value))
        .findFirst()
        .orElseThrow(
            () ->
                new TypeConversionException(
                    "'%s' is not one of: %s"
                        .formatted(
                            value,
                            Arrays.stream(Task.values())
                                .map(Task::toString)
                                .collect(Collectors.joining(", ")))));
  }
}
