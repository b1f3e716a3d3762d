package io.github.loragraph.cli;

import io.github.loragraph.Adapter;
import io.github.loragraph.AdapterInfo;
import io.github.loragraph.CombinationConfig;
import io.github.loragraph.error.LoraGraphException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code lora-graph adapter combine}. */
@Command(
    name = "combine",
    header = "Makes one adapter of several, by weights.",
    description = {
      "",
      "As PEFT's add_weighted_adapter does it. cat is exactly the weighted sum of what the adapters"
          + " add, with the sum of their ranks; svd is the nearest to it of a rank. linear sums"
          + " lora_A and lora_B by themselves, so it also multiplies parts of one adapter with parts"
          + " of another. ties, dare and magnitude_prune drop entries first (--density). Merge"
          + " adapters of different heads by cat or svd, and say whose head is taken (--head-of).",
      ""
    },
    footer = {
      "",
      "Example:",
      "  lora-graph adapter combine politeness billing --weights 0.7 0.3 --combination svd -o both"
    },
    mixinStandardHelpOptions = true)
final class AdapterCombineCommand implements Callable<Integer> {
  private static final String MEAN = "mean";

  @Parameters(arity = "1..*", paramLabel = "ADAPTER", description = AdapterArgument.DESCRIPTION)
  private List<Path> paths = List.of();

  @Option(
      names = "--weights",
      arity = "1..*",
      split = ",",
      paramLabel = "NUMBER",
      description =
          "A weight for each adapter; a negative one takes away. Default: 1 divided by their"
              + " number.")
  private List<Double> weights = List.of();

  @Option(
      names = {"--combination", "--combination-type"},
      paramLabel = "TYPE",
      defaultValue = "svd",
      converter = CombinationConverter.class,
      completionCandidates = CombinationConverter.class,
      description = "${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
  private CombinationConfig.Type type;

  @Option(
      names = {"--rank", "--svd-rank"},
      paramLabel = "N",
      description = "The rank of what a type with svd makes. Default: the adapters' highest.")
  private @Nullable Integer rank;

  @Option(
      names = "--density",
      paramLabel = "SHARE",
      description = "The share of entries that stay, for ties, dare and magnitude_prune.")
  private @Nullable Double density;

  @Option(
      names = "--majority-sign-method",
      paramLabel = "METHOD",
      defaultValue = "total",
      converter = MajoritySignConverter.class,
      completionCandidates = MajoritySignConverter.class,
      description = "How ties elects signs: ${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
  private CombinationConfig.MajoritySign majoritySign;

  @Option(
      names = "--head-of",
      paramLabel = "ADAPTER",
      description =
          "Whose head is taken where several trained one: one of the adapters, or mean for their"
              + " mean by the weights.")
  private @Nullable String headOf;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "0",
      description = "Decides what dare drops. Default: ${DEFAULT-VALUE}.")
  private long seed;

  @Mixin private AdapterOutput folder;
  @Mixin private ResultOutput output;

  @Override
  public Integer call() {
    CombinationConfig config = config();
    folder.check();
    List<Adapter> adapters = new ArrayList<>();
    for (Path path : paths) {
      adapters.add(AdapterArgument.open(path, output));
    }
    List<Double> given =
        weights.isEmpty() ? Collections.nCopies(paths.size(), 1.0 / paths.size()) : weights;
    Adapter combined = Adapter.combine(adapters, given, config);
    combined.notes().forEach(output::say);
    Map<String, Object> result = new LinkedHashMap<>();
    folder.write(combined, result);
    AdapterInfo info = combined.info();
    List<Integer> ranks =
        info.layers().stream().map(AdapterInfo.Layer::rank).distinct().sorted().toList();
    String name = type.name().toLowerCase(Locale.ROOT);
    result.put("combination", name);
    result.put("weights", given);
    result.put("layers", info.layers().size());
    result.put("ranks", ranks);
    result.put("norm", info.norm());
    output.print(
        result,
        out -> {
          out.printf(
              "%d adapters combined by %s: %d layers of rank %s, norm of all %.4g%n",
              adapters.size(),
              name,
              info.layers().size(),
              String.join(", ", ranks.stream().map(String::valueOf).toList()),
              info.norm());
          out.println("written: " + result.get("output"));
        });
    return 0;
  }

  private CombinationConfig config() {
    CombinationConfig.Builder config =
        CombinationConfig.builder(type).majoritySign(majoritySign).seed(seed);
    if (rank != null) {
      config.svdRank(rank);
    }
    if (density != null) {
      config.density(density);
    }
    if (headOf != null) {
      int index = paths.indexOf(Path.of(headOf));
      if (index >= 0) {
        config.headOf(index);
      } else if (headOf.equals(MEAN)) {
        config.meanHead();
      } else {
        throw new LoraGraphException(
            "--head-of '%s' is none of the adapters that are combined, nor mean".formatted(headOf));
      }
    }
    return config.build();
  }
}
