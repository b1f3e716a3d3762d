package io.github.loragraph.cli;

import io.github.loragraph.DataCheck;
import io.github.loragraph.Dataset;
import io.github.loragraph.InferenceArguments;
import io.github.loragraph.Model;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.PlainText;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
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
      description = "Data files, as for training, or patterns of them.")
  private List<String> files;

  @Option(
      names = "--eval",
      paramLabel = "FILE",
      description = "Held-out examples, which should have no row of the data.")
  private @Nullable List<String> eval;

  @Option(
      names = "--model",
      paramLabel = "MODEL",
      description =
          "The model that is to be trained, or an encoder, in whose tokens lengths are said.")
  private @Nullable String model;

  @Mixin private DataOptions dataOptions;
  @Mixin private ColumnOptions columns;
  @Mixin private ResultOutput output;

  @Override
  public Integer call() {
    Dataset data = columns.of(Dataset.files(files));
    DataCheck check =
        data.check(
            Optional.ofNullable(eval).map(Dataset::files),
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
    fields.put("unlabelled", check.unlabelled());
    fields.put("emptyTexts", check.emptyTexts());
    fields.put("duplicates", check.duplicates());
    fields.put("contradictions", check.contradictions());
    fields.put("leaked", check.leaked());
    fields.put("oddTexts", check.oddTexts());
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
      tokens.put("cut", lengths.cut());
      fields.put("tokens", tokens);
    }
    return fields;
  }

  private void print(DataCheck check, PrintWriter out) {
    out.printf("%,d rows, %,d labels%n", check.rows(), check.distinctLabels());
    check
        .labels()
        .forEach(
            (label, count) ->
                out.printf(
                    "  %s: %,d (%.1f of 100)%n", label, count, 100.0 * count / check.rows()));
    DataCheck.Lengths lengths = check.lengths();
    if (lengths != null) {
      out.printf(
          "half of the texts have at most %,d tokens, 95 of 100 at most %,d; %,d are cut at %,d%n",
          lengths.median(), lengths.most(), lengths.cut(), lengths.positions());
    }
    line(out, check.unlabelled(), "rows have no label");
    line(out, check.emptyTexts(), "rows have no text");
    line(out, check.duplicates(), "rows have a text that came before");
    line(out, check.contradictions(), "of them have another label than it had");
    line(out, check.leaked(), "rows stand in the held-out data, too");
    check.oddTexts().forEach((what, count) -> line(out, count, "texts have " + what));
    check.likeLabels().forEach(pair -> out.printf("labels that are likely one: %s%n", pair));
    LoraGraphException refusal = check.refusal();
    if (refusal != null) {
      out.println("a training refuses this: " + PlainText.line(AdviceText.message(refusal)));
    }
    if (!check.hasFaults()) {
      out.println("nothing that makes a training worse than it looks");
    }
  }

  private static void line(PrintWriter out, long count, String what) {
    if (count > 0) {
      out.printf("%,d %s%n", count, what);
    }
  }
}
