package io.github.loragraph.cli;

import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads a regular expression; a faulty one is wrong usage. */
final class RegexConverter implements ITypeConverter<Pattern> {
  @Override
  public Pattern convert(String value) {
    try {
      return Pattern.compile(value);
    } catch (PatternSyntaxException e) {
      throw new TypeConversionException(
          "'%s' is no regular expression: %s%s"
              .formatted(
                  value,
                  e.getDescription(),
                  e.getIndex() < 0 ? "" : " at character " + (e.getIndex() + 1)));
    }
  }
}
