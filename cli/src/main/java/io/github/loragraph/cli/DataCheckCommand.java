package io.github.loragraph.cli;

import io.github.loragraph.DataCheck;
import io.github.loragraph.Dataset;
import io.github.loragraph.InferenceArguments;
import io.github.loragraph.Model;
import io.github.loragraph.error.Counted;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.PlainText;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code lora-graph data check}. */
@Command(
    name = "check",
    header = "Says what is in data files, and what will go wrong with them.",
    description = {
      "",
      "Counts rows and labels, texts that come twice, twice with different labels, or in the"
          + " held-out file, too, odd characters, and lengths in the tokens of a model. Ends with 1"
          + " where a training would refuse the data (with --model: also labels that the model does"
          + " not have), and where something makes it worse than it looks (texts with two labels,"
          + " rows that are held out as well, empty or odd texts, labels that differ in case or"
          + " spaces alone), else with 0.",
      ""
    },
    footer = {
      "",
      "Example:",
      "  lora-graph data check train.tsv --eval dev.tsv --model all-minilm-l6-v2"
    },
    mixinStandardHelpOptions = true)
final class DataCheckCommand implements Callable<Integer> {
  @Parameters(
      arity = "1..*",
      paramLabel = "FILE",
      description =
          "Data files, as for training, or patterns of them; '-' is standard input, by"
              + " --data-format.")
  private List<String> files;

  @Option(
      names = "--model",
      paramLabel = "MODEL",
      description =
          "The model that is to be trained, or an encoder, in whose tokens lengths are said.")
  private @Nullable String model;

  @Mixin private DataOptions dataOptions;
  @Mixin private HeldOutOptions heldOutOptions;
  @Mixin private DataFiles dataFiles;
  @Mixin private ColumnOptions columns;
  @Mixin private ResultOutput output;

  /** The files that were checked. */
  private List<Path> checked = List.of();

  @Override
  public Integer call() {
    Dataset data = columns.of(dataFiles.of(files));
    checked = data.files();
    DataCheck check =
        data.check(
            Optional.ofNullable(heldOutOptions.data(columns)),
            Optional.ofNullable(model).map(name -> Model.open(name).withNotes(output::say)),
            arguments(),
            output::say);
    output.print(fields(check), out -> print(check, out));
    return check.hasFaults() ? 1 : 0;
  }

  private InferenceArguments arguments() {
    InferenceArguments.Builder arguments = InferenceArguments.builder();
    dataOptions.task().ifPresent(arguments::task);
    dataOptions.maxLength().ifPresent(arguments::maxLength);
    dataOptions.stride().ifPresent(arguments::stride);
    return arguments.build();
  }

  private static Map<String, Object> fields(DataCheck check) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("rows", check.rows());
    fields.put("distinctLabels", check.distinctLabels());
    fields.put("labels", check.labels());
    Map<String, Object> places = new LinkedHashMap<>();
    rows(check).forEach((what, rows) -> put(fields, places, what, rows));
    Map<String, Object> odd = new LinkedHashMap<>();
    check.oddTexts().forEach((what, rows) -> put(odd, places, what, rows));
    fields.put("oddTexts", odd);
    fields.put("likeLabels", check.likeLabels());
    LoraGraphException refusal = check.refusal();
    if (refusal != null) {
      fields.put("refusal", PlainText.line(AdviceText.message(refusal)));
    }
    DataCheck.Lengths lengths = check.lengths();
    if (lengths != null) {
      Map<String, Object> tokens = new LinkedHashMap<>();
      tokens.put("median", lengths.median());
      tokens.put("most", lengths.most());
      tokens.put("positions", lengths.positions());
      put(tokens, places, "cut", lengths.cut());
      fields.put("tokens", tokens);
    }
    fields.put("places", places);
    return fields;
  }

  /** What is counted, by its name in JSON. */
  private static Map<String, DataCheck.Rows> rows(DataCheck check) {
    Map<String, DataCheck.Rows> rows = new LinkedHashMap<>();
    rows.put("unlabelled", check.unlabelled());
    rows.put("withoutClass", check.withoutClass());
    rows.put("emptyTexts", check.emptyTexts());
    rows.put("duplicates", check.duplicates());
    rows.put("contradictions", check.contradictions());
    rows.put("leaked", check.leaked());
    return rows;
  }

  private static void put(
      Map<String, Object> counts, Map<String, Object> places, String what, DataCheck.Rows rows) {
    counts.put(what, rows.count());
    if (rows.areSome()) {
      places.put(what, rows.places());
    }
  }

  private void print(DataCheck check, PrintWriter out) {
    out.printf(
        "%s, %s%n",
        Counted.of(check.rows(), "row", "rows"),
        Counted.of(check.distinctLabels(), "label", "labels"));
    long sum = check.labels().values().stream().mapToLong(Long::longValue).sum();
    boolean several = sum > check.rows() || check.withoutClass().areSome();
    long all = several ? sum : check.rows();
    check
        .labels()
        .forEach(
            (label, count) ->
                out.printf(
                    "  %s: %,d (%.1f of 100%s)%n",
                    PlainText.line(label), count, 100.0 * count / all, several ? " labels" : ""));
    DataCheck.Lengths lengths = check.lengths();
    if (lengths != null) {
      out.printf(
          "half of the texts have at most %s, 95 of 100 at most %,d; %s cut at %,d%s%n",
          Counted.of(lengths.median(), "token", "tokens"),
          lengths.most(),
          Counted.of(lengths.cut().count(), "is", "are"),
          lengths.positions(),
          where(lengths.cut()));
    }
    line(out, check.unlabelled(), "row has no label", "rows have no label");
    line(
        out,
        check.withoutClass(),
        "row is of none of the classes",
        "rows are of none of the classes");
    line(out, check.emptyTexts(), "row has no text", "rows have no text");
    line(
        out,
        check.duplicates(),
        "row has a text that came before",
        "rows have a text that came before");
    line(
        out,
        check.contradictions(),
        "of them has another label than it had",
        "of them have another label than it had");
    line(
        out,
        check.leaked(),
        "row stands in the held-out data, too",
        "rows stand in the held-out data, too");
    check
        .oddTexts()
        .forEach((what, rows) -> line(out, rows, "text has " + what, "texts have " + what));
    check.likeLabels().forEach(pair -> out.printf("labels that are likely one: %s%n", pair));
    LoraGraphException refusal = check.refusal();
    if (refusal != null) {
      out.println("a training refuses this: " + PlainText.line(AdviceText.message(refusal)));
    }
    if (!check.hasFaults()) {
      out.println("nothing that makes a training worse than it looks");
    }
  }

  private void line(PrintWriter out, DataCheck.Rows rows, String one, String several) {
    if (rows.areSome()) {
      out.printf("%s%s%n", Counted.of(rows.count(), one, several), where(rows));
    }
  }

  /** The first rows by their lines, and by their files where there are several. */
  private String where(DataCheck.Rows rows) {
    if (!rows.areSome()) {
      return "";
    }
    boolean ofOneFile = checked.size() == 1;
    String first =
        rows.places().stream()
            .map(place -> ofOneFile ? place.substring(place.lastIndexOf(':') + 1) : place)
            .collect(Collectors.joining(", "));
    long others = rows.count() - rows.places().size();
    return "%s %s%s"
        .formatted(
            !ofOneFile ? ":" : rows.count() == 1 ? ": line" : ": lines",
            first,
            others == 0 ? "" : " and %,d more".formatted(others));
  }
}
