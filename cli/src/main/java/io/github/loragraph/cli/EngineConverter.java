package io.github.loragraph.cli;

import io.github.loragraph.engine.EngineKind;
import java.util.Arrays;
import java.util.stream.Collectors;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads an engine by its name on the command line. */
final class EngineConverter implements ITypeConverter<EngineKind> {
  @Override
  public EngineKind convert(String value) {
    return Arrays.stream(EngineKind.values())
        .filter(kind -> kind.toString().equals(value))
        .findFirst()
        .orElseThrow(
            () ->
                new TypeConversionException(
                    "'%s' is not one of: %s"
                        .formatted(
                            value,
                            Arrays.stream(EngineKind.values())
                                .map(EngineKind::toString)
                                .collect(Collectors.joining(", ")))));
  }
}
