package io.github.loragraph.adapter;

import io.github.loragraph.error.LoraGraphException;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;

/**
 * Module names as PEFT's configuration has them in {@code target_modules} and {@code
 * exclude_modules}: a list of names, each of which chooses the modules whose path it is, or ends
 * with after a dot; or one regular expression that has to match the whole path.
 *
 * @param names null where it is an expression
 * @param expression null where it is a list
 */
record ModuleNames(@Nullable List<String> names, @Nullable String expression) {
  /** Chooses every Linear but the output layer. */
  static final String ALL_LINEAR = "all-linear";

  ModuleNames {
    names = names == null ? null : List.copyOf(names);
  }

  boolean isAllLinear() {
    return ALL_LINEAR.equalsIgnoreCase(expression);
  }

  /** Whether they choose a module by its path; that it is a Linear is asked of the model. */
  boolean choose(String path) {
    if (expression != null) {
      return isAllLinear() || matches(expression, path);
    }
    return names != null
        && names.stream().anyMatch(name -> path.equals(name) || path.endsWith("." + name));
  }

  /**
   * Whether a regular expression of Python's matches the whole of a path.
   *
   * @throws LoraGraphException if it is none, or takes too long
   */
  static boolean matches(String expression, String path) {
    Pattern pattern = compile(expression);
    try {
      return pattern.matcher(new Steps(path)).matches();
    } catch (StackOverflowError e) {
      throw tooDeep(expression, e);
    }
  }

  /**
   * An expression of Python's.
   *
   * @throws LoraGraphException if it is none that is understood
   */
  static Pattern compile(String expression) {
    try {
      return Pattern.compile(
          expression.replace("(?P<", "(?<").replaceAll("\\(\\?P=(\\w+)\\)", "\\\\k<$1>"));
    } catch (PatternSyntaxException e) {
      throw new LoraGraphException(
          "'%s' is no regular expression (%s)"
              .formatted(expression, e.getDescription().toLowerCase(Locale.ROOT)),
          e);
    } catch (StackOverflowError e) {
      throw tooDeep(expression, e);
    }
  }

  private static LoraGraphException tooDeep(String expression, StackOverflowError e) {
    return new LoraGraphException(
        "the regular expression '%s' goes too deep".formatted(expression), e);
  }

  /** A path that ends an expression's search where it would go on for ever. */
  private static final class Steps implements CharSequence {
    private static final int MOST = 2_000_000;

    private final String path;
    private int reads;

    Steps(String path) {
      this.path = path;
    }

    @Override
    public char charAt(int index) {
      if (++reads > MOST) {
        throw new LoraGraphException(
            "a regular expression takes too long to match '%s'".formatted(path));
      }
      return path.charAt(index);
    }

    @Override
    public int length() {
      return path.length();
    }

    @Override
    public CharSequence subSequence(int start, int end) {
      return path.subSequence(start, end);
    }

    @Override
    public String toString() {
      return path;
    }
  }
}
