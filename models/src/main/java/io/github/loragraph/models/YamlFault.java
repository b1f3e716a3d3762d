package io.github.loragraph.models;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.PlainText;
import java.io.CharConversionException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Why a file is no map of options, in our words: the parser says in several lines what it was at
 * when it failed, and what it found then, each with a place.
 *
 * @param line from 1; 0 where no line is at fault
 * @param what is wrong there, and what to do
 */
record YamlFault(int line, String what) {
  private static final Pattern PLACE = Pattern.compile(" in 'reader', line (\\d+), column \\d+:");
  private static final Pattern CHARACTER = Pattern.compile("found character '(.)' that cannot.*");
  private static final Pattern TWICE = Pattern.compile("Duplicate field '(.*)'", Pattern.DOTALL);

  /** A name and a value without the blank that YAML wants between them. */
  private static final Pattern NO_BLANK = Pattern.compile("([\\w-]+):(\\S.*)");

  /** The same in one name, which a blank may stand in for the colon in. */
  private static final Pattern NAME_AND_VALUE = Pattern.compile("([\\w-]+)(?: |: ?)(\\S.*)");

  /** Something the parser says, and the line that it is about. */
  private record Said(String words, int line) {}

  /**
   * @param lines of the file
   */
  static YamlFault of(JsonProcessingException e, List<String> lines) {
    int line = e.getLocation() == null ? 0 : e.getLocation().getLineNr();
    if (e instanceof MismatchedInputException) {
      return ofNoMap(lines);
    }
    Matcher twice = TWICE.matcher(e.getOriginalMessage());
    if (twice.lookingAt()) {
      return new YamlFault(line, "'%s' is there twice: keep one of them".formatted(twice.group(1)));
    }
    if (e.getCause() instanceof CharConversionException
        || e.getOriginalMessage().contains(CharConversionException.class.getName())) {
      return new YamlFault(0, "it is not UTF-8: write it anew in UTF-8");
    }
    if (e.getOriginalMessage().startsWith("special characters are not allowed")) {
      return new YamlFault(0, "there is a character in it that no text has: is it a text file?");
    }
    List<Said> said = said(e.getOriginalMessage());
    return said.isEmpty()
        ? new YamlFault(line, PlainText.line(e.getOriginalMessage()))
        : ofParser(said.get(0), said.get(said.size() - 1), lines);
  }

  private static List<Said> said(String message) {
    List<Said> said = new ArrayList<>();
    StringBuilder words = new StringBuilder();
    for (String line : message.lines().toList()) {
      Matcher place = PLACE.matcher(line);
      if (place.find()) {
        said.add(new Said(words.toString().strip(), Integer.parseInt(place.group(1))));
        words.setLength(0);
      } else if (!line.startsWith("    ")) {
        words.append(line).append(' ');
      }
    }
    return said;
  }

  private static YamlFault ofParser(Said at, Said found, List<String> lines) {
    String words = found.words();
    if (words.contains("\\t(TAB)")) {
      return new YamlFault(
          found.line(), "it is indented by a tab, and YAML takes blanks: put blanks there");
    }
    if (at.words().contains("quoted scalar")) {
      return words.contains("escape")
          ? new YamlFault(
              found.line(),
              "in double quotes a backslash begins an escape, and this is none: take single quotes")
          : new YamlFault(at.line(), "the quotation mark that begins a text here has no other one");
    }
    if (at.words().contains("flow mapping") || at.words().contains("flow sequence")) {
      boolean map = at.words().contains("mapping");
      return new YamlFault(
          at.line(),
          "the '%s' here has no '%s', or a comma between what is in it is missing"
              .formatted(map ? '{' : '[', map ? '}' : ']'));
    }
    if (at.words().contains("flow node")) {
      return new YamlFault(found.line(), "a '{' or '[' has no end");
    }
    if (words.contains("could not find expected ':'")) {
      return withoutBlank(at.line(), lines, "there is no colon and blank after a name, 'lr: 1e-3'");
    }
    if (words.contains("mapping values are not allowed")) {
      int before = found.line() - 1;
      if (before >= 1 && NO_BLANK.matcher(lines.get(before - 1).strip()).matches()) {
        return withoutBlank(before, lines, "");
      }
      return new YamlFault(
          found.line(),
          "a colon stands where no name of an option can: put a text that has one into quotes, and"
              + " indent what belongs together alike");
    }
    Matcher character = CHARACTER.matcher(words.replaceFirst("^while.*? found", "found"));
    if (character.lookingAt()) {
      return new YamlFault(
          found.line(),
          "no value begins with '%s' unless it is in quotes: put it into quotes"
              .formatted(character.group(1)));
    }
    if (at.words().contains("alias") || at.words().contains("anchor")) {
      return new YamlFault(
          found.line(), "a '*' or '&' without quotes is for aliases: put the text into quotes");
    }
    if (at.words().contains("block")) {
      return new YamlFault(
          found.line(),
          "it does not belong to what stands above: indent what belongs together alike, and put"
              + " texts with blanks and marks into quotes");
    }
    return new YamlFault(found.line(), PlainText.line(words));
  }

  /** It is YAML, but a list, a number, or a text over all lines. */
  private static YamlFault ofNoMap(List<String> lines) {
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i).strip();
      if (line.isEmpty() || line.startsWith("#") || line.equals("---")) {
        continue;
      }
      if (line.startsWith("- ") || line.equals("-") || line.startsWith("[")) {
        return new YamlFault(
            i + 1, "it is a list, and a map is wanted: 'lr: 1e-3', a line for each option");
      }
      return withoutBlank(
          i + 1, lines, "it is a text, and a map is wanted: 'lr: 1e-3', a line for each option");
    }
    return new YamlFault(0, "there is nothing in it: it should have options, a line each");
  }

  /**
   * Refuses a key without value that a colon or the blank after it is missing in: between braces
   * {@code lr 1e-3} and {@code lr:1e-3} are names, too.
   *
   * @param key as the parser has it, whose value is nothing
   * @throws LoraGraphException if it is one
   */
  static void requireColon(Path file, int line, String key, List<String> lines) {
    Matcher both = NAME_AND_VALUE.matcher(key);
    boolean said =
        line < 1
            || line > lines.size()
            || Pattern.compile(Pattern.quote(key) + "['\"]?\\s*:(\\s|$)")
                .matcher(lines.get(line - 1))
                .find();
    if (!said && both.matches()) {
      throw new LoraGraphException(
          "%s:%d: '%s' is one name: a colon and a blank belong after '%s': '%s: %s'"
              .formatted(file, line, key, both.group(1), both.group(1), both.group(2)));
    }
  }

  /** A line that may lack nothing but the blank. */
  private static YamlFault withoutBlank(int from, List<String> lines, String otherwise) {
    if (from >= 1 && from <= lines.size()) {
      Matcher near = NO_BLANK.matcher(lines.get(from - 1).strip());
      if (near.matches()) {
        return new YamlFault(
            from,
            "there is no blank after the colon: '%s: %s'"
                .formatted(near.group(1), PlainText.line(near.group(2))));
      }
    }
    return new YamlFault(from, otherwise);
  }
}
