package io.github.loragraph.lora;

import io.github.loragraph.error.LoraGraphException;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import java.util.stream.Collectors;

/**
 * Which layers are meant, by their module paths: PEFT's {@code target_modules}, or {@code
 * exclude_modules}, and besides an expression that is found anywhere in a path.
 */
public sealed interface TargetModules {
  /** PEFT's word for {@link #allLinear()}. */
  String ALL_LINEAR = "all-linear";

  /** Module names, or ends of module paths, with commas or blanks between them. */
  Pattern NAMES = Pattern.compile("\\s*[\\w.-]+(?:[,\\s]+[\\w.-]+)*[,\\s]*");

  /** Whether a layer of this path is meant. */
  boolean matches(String path);

  /** An expression that is found in the very paths that {@link #matches}. */
  Pattern expression();

  /** What was written to mean them, to look for paths that are near. */
  default String words() {
    return expression().pattern();
  }

  /** Every layer in whose path the expression is found. */
  static TargetModules found(Pattern expression) {
    return new Found(expression);
  }

  /**
   * Every layer whose path is one of the names, or ends in a dot and one of them, as PEFT reads a
   * list.
   *
   * @throws LoraGraphException if there is no name, or an empty one
   */
  static TargetModules names(Collection<String> names) {
    return new Names(List.copyOf(names));
  }

  /** Every layer whose whole path the expression matches, as PEFT reads a text. */
  static TargetModules fullMatch(Pattern expression) {
    return new FullMatch(expression);
  }

  /**
   * The same of an expression that is written for Python, where named groups look otherwise.
   *
   * @throws LoraGraphException if it is no regular expression
   */
  static TargetModules fullMatch(String expression) {
    return new FullMatch(python(expression));
  }

  /** Every layer but the head and one that makes an output of the model. */
  static TargetModules allLinear() {
    return new AllLinear();
  }

  /**
   * What a text means as PEFT reads it: {@link #ALL_LINEAR}, names with commas or blanks between
   * them, or an expression for whole paths. Where that is no layer of the model, the text is an
   * expression that is found anywhere in a path.
   *
   * @throws LoraGraphException if it is no regular expression
   */
  static TargetModules text(String text) {
    TargetModules asPeft = strict(text);
    return asPeft instanceof AllLinear ? asPeft : new Text(text, asPeft);
  }

  /**
   * The same as PEFT reads it alone.
   *
   * @throws LoraGraphException if it is no regular expression, or empty
   */
  static TargetModules strict(String text) {
    if (text.strip().equalsIgnoreCase(ALL_LINEAR)) {
      return allLinear();
    }
    return NAMES.matcher(text).matches()
        ? names(Arrays.stream(text.strip().split("[,\\s]+")).toList())
        : fullMatch(text);
  }

  /** These modules, now that the paths are known among which they are. */
  default TargetModules among(Collection<String> paths) {
    return this;
  }

  /**
   * A regular expression of Python's.
   *
   * @throws LoraGraphException if it is none
   */
  static Pattern python(String expression) {
    try {
      return Pattern.compile(expression.replace("(?P<", "(?<"));
    } catch (PatternSyntaxException e) {
      throw new LoraGraphException(
          "'%s' is no regular expression: %s".formatted(expression, e.getDescription()), e);
    }
  }

  /** See {@link TargetModules#found}. */
  record Found(Pattern expression) implements TargetModules {
    @Override
    public boolean matches(String path) {
      return expression.matcher(path).find();
    }

    @Override
    public String toString() {
      return "'" + expression + "'";
    }
  }

  /** See {@link TargetModules#names}. */
  record Names(List<String> names) implements TargetModules {
    public Names {
      names = List.copyOf(names);
      if (names.isEmpty() || names.stream().anyMatch(String::isBlank)) {
        throw new LoraGraphException(
            "the list of modules is empty, or one of its names is: name modules, as query,value");
      }
    }

    @Override
    public boolean matches(String path) {
      return names.stream().anyMatch(name -> path.equals(name) || path.endsWith("." + name));
    }

    @Override
    public String words() {
      return String.join("|", names);
    }

    @Override
    public Pattern expression() {
      return Pattern.compile(
          names.stream().map(Pattern::quote).collect(Collectors.joining("|", "(^|\\.)(", ")$")));
    }

    @Override
    public String toString() {
      return "'" + String.join(",", names) + "'";
    }
  }

  /** See {@link TargetModules#fullMatch}. */
  record FullMatch(Pattern whole) implements TargetModules {
    @Override
    public boolean matches(String path) {
      return whole.matcher(path).matches();
    }

    @Override
    public String words() {
      return whole.pattern();
    }

    @Override
    public Pattern expression() {
      return Pattern.compile("^(?:" + whole.pattern() + ")$", whole.flags());
    }

    @Override
    public String toString() {
      return "'" + whole + "'";
    }
  }

  /**
   * See {@link TargetModules#text}.
   *
   * @param asPeft what it means to PEFT
   */
  record Text(String text, TargetModules asPeft) implements TargetModules {
    @Override
    public TargetModules among(Collection<String> paths) {
      return paths.stream().anyMatch(asPeft::matches) || text.contains(",")
          ? asPeft
          : found(python(text));
    }

    @Override
    public boolean matches(String path) {
      return asPeft.matches(path);
    }

    @Override
    public String words() {
      return asPeft.words();
    }

    @Override
    public Pattern expression() {
      return asPeft.expression();
    }

    @Override
    public String toString() {
      return asPeft.toString();
    }
  }

  /** See {@link TargetModules#allLinear}. */
  record AllLinear() implements TargetModules {
    @Override
    public boolean matches(String path) {
      return true;
    }

    @Override
    public Pattern expression() {
      return Pattern.compile("");
    }

    @Override
    public String toString() {
      return "'" + ALL_LINEAR + "'";
    }
  }
}
