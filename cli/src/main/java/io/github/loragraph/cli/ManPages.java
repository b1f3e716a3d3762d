package io.github.loragraph.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** The manual pages of the commands, in roff's {@code man} macros. The build writes them. */
public final class ManPages {
  private ManPages() {}

  /** Writes {@code lora-graph.1}, {@code lora-graph-train.1} ... into the folder that is named. */
  public static void main(String[] args) throws IOException {
    Path folder = Files.createDirectories(Path.of(args[0]));
    for (Map.Entry<String, String> page : pages().entrySet()) {
      Files.writeString(folder.resolve(page.getKey()), page.getValue(), StandardCharsets.UTF_8);
    }
  }

  /** All pages by the names of their files. */
  static Map<String, String> pages() {
    Map<String, String> pages = new LinkedHashMap<>();
    add(LoraGraph.commandLine().getCommandSpec(), pages);
    return pages;
  }

  private static void add(CommandSpec command, Map<String, String> pages) {
    pages.put(fileName(command), page(command));
    HelpLayout.commands(command).values().stream()
        .flatMap(List::stream)
        .forEach(subcommand -> add(subcommand, pages));
  }

  private static String title(CommandSpec command) {
    return command.qualifiedName("-");
  }

  private static String fileName(CommandSpec command) {
    return title(command) + ".1";
  }

  private static String page(CommandSpec command) {
    StringBuilder roff = new StringBuilder();
    roff.append(
        ".TH \"%s\" \"1\" \"\" \"lora-graph %s\"\n"
            .formatted(escaped(title(command)).toUpperCase(Locale.ROOT), Version.current()));
    roff.append(".nh\n.ad l\n.SH NAME\n");
    String header = String.join(" ", command.usageMessage().header());
    roff.append(escaped(title(command))).append(" \\- ").append(escaped(header)).append('\n');
    roff.append(".SH SYNOPSIS\n");
    roff.append("\\fB").append(escaped(HelpLayout.synopsis(command))).append("\\fR\n");
    roff.append(".SH DESCRIPTION\n");
    paragraphs(command.usageMessage().description(), roff);
    arguments(command, roff);
    HelpLayout.grouped(command)
        .forEach(
            (group, options) -> {
              heading(group.heading(), roff);
              options.forEach(option -> entry(names(option), option.description(), roff));
            });
    HelpLayout.commands(command)
        .forEach(
            (group, commands) -> {
              heading(command.parent() == null ? group.heading() : "Commands", roff);
              commands.forEach(
                  subcommand ->
                      entry(
                          "\\fB%s\\fR(1)".formatted(escaped(title(subcommand))),
                          subcommand.usageMessage().header(),
                          roff));
            });
    heading("Notes", roff);
    literal(command.usageMessage().footer(), roff);
    if (command.parent() != null) {
      heading("See also", roff);
      roff.append("\\fB%s\\fR(1)\n".formatted(escaped(title(command.parent()))));
    }
    return roff.toString();
  }

  private static void arguments(CommandSpec command, StringBuilder roff) {
    if (command.positionalParameters().isEmpty()) {
      return;
    }
    heading("Arguments", roff);
    for (PositionalParamSpec argument : command.positionalParameters()) {
      if (!argument.hidden()) {
        entry(
            "\\fI%s\\fR".formatted(escaped(HelpLayout.label(argument))),
            argument.description(),
            roff);
      }
    }
  }

  private static String names(OptionSpec option) {
    String value =
        option.arity().max() == 0 ? "" : "=\\fI%s\\fR".formatted(escaped(option.paramLabel()));
    return Arrays.stream(option.names())
            .map(name -> "\\fB%s\\fR".formatted(escaped(name)))
            .collect(Collectors.joining(", "))
        + value;
  }

  private static void heading(String text, StringBuilder roff) {
    roff.append(".SH \"%s\"\n".formatted(escaped(text).toUpperCase(Locale.ROOT)));
  }

  private static void entry(String term, String[] text, StringBuilder roff) {
    roff.append(".TP\n").append(term).append('\n');
    roff.append(escaped(String.join(" ", text))).append('\n');
  }

  private static void paragraphs(String[] lines, StringBuilder roff) {
    for (String line : lines) {
      roff.append(line.isEmpty() ? ".PP" : escaped(line)).append('\n');
    }
  }

  /** Lines that stay lines: examples. */
  private static void literal(String[] lines, StringBuilder roff) {
    for (String line : lines) {
      roff.append(line.isEmpty() ? ".PP" : escaped(line)).append('\n');
      if (!line.isEmpty()) {
        roff.append(".br\n");
      }
    }
  }

  /** Text that roff takes for itself: hyphens stay hyphens, so that options can be copied. */
  private static String escaped(String text) {
    String plain =
        text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga");
    return plain.startsWith(".") ? "\\&" + plain : plain;
  }
}
