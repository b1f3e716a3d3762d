package io.github.loragraph.cli;

import io.github.loragraph.lora.Parameter;
import io.github.loragraph.lora.Parameters;
import io.github.loragraph.lora.PeftAdapters;
import io.github.loragraph.lora.UnrecognisedLayer;
import io.github.loragraph.onnx.OnnxModel;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * What an injection leaves out or does beyond what was asked for.
 *
 * @param match what the adapters were asked for by
 * @param adapted the module paths that got one
 */
record InjectNotes(OnnxModel original, Pattern match, Set<String> adapted) {
  /** One line on standard error for each kind. */
  void print(ResultOutput output) {
    List<UnrecognisedLayer> others =
        UnrecognisedLayer.find(original).stream().filter(l -> l.matches(match)).toList();
    if (!others.isEmpty()) {
      output.say(
          "not adapted: %d further layer%s that '%s' matches, as %s"
              .formatted(others.size(), others.size() == 1 ? "" : "s", match, others.get(0)));
    }
    long peft =
        PeftAdapters.find(original.graph()).stream()
            .filter(a -> match.matcher(a.path()).find())
            .count();
    if (peft > 0) {
      output.say(
          "not adapted: the %d PEFT adapters in the model that '%s' matches; 'lora-graph train' on the model itself trains those"
              .formatted(peft, match));
    }
    for (Parameter parameter : Parameters.of(original)) {
      for (Parameter.Copy copy : parameter.copies()) {
        if (isAdapted(copy.name()) || isAdapted(parameter.name())) {
          output.say(
              "%s and %s are one weight: merging the adapter will leave them different"
                  .formatted(parameter.name(), copy.name()));
        }
      }
    }
  }

  private boolean isAdapted(String weight) {
    return weight.endsWith(".weight")
        && adapted.contains(weight.substring(0, weight.length() - ".weight".length()));
  }
}
