package io.github.loragraph.sagemaker.client;

import io.github.loragraph.error.LoraGraphException;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * A length of time as people write it: {@code 90}, {@code 90s}, {@code 30m}, {@code 2h}, {@code
 * 1d}.
 */
final class TimeSpan implements ITypeConverter<Duration> {
  private static final Pattern FORM = Pattern.compile("(\\d{1,9})\\s*([smhd]?)");
  private static final Duration LONGEST = Duration.ofDays(366);
  private static final String WORDS = "seconds, or 90s, 30m, 2h, 1d";

  /**
   * @throws LoraGraphException if it is none
   */
  static Duration of(String text) {
    Matcher form = FORM.matcher(text.strip());
    if (!form.matches()) {
      throw new LoraGraphException("'%s' is no time: %s".formatted(text, WORDS));
    }
    long number = Long.parseLong(form.group(1));
    Duration time =
        switch (form.group(2)) {
          case "m" -> Duration.ofMinutes(number);
          case "h" -> Duration.ofHours(number);
          case "d" -> Duration.ofDays(number);
          default -> Duration.ofSeconds(number);
        };
    if (time.compareTo(LONGEST) > 0) {
      throw new LoraGraphException("'%s' is longer than a year".formatted(text));
    }
    return time;
  }

  @Override
  public Duration convert(String value) {
    try {
      return of(value);
    } catch (LoraGraphException e) {
      throw new TypeConversionException(e.getMessage());
    }
  }
}
