package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;
import java.util.ArrayList;
import java.util.List;

/** The smallest of all inputs. As in PyTorch, entries that are equal share dy evenly. */
@AutoService(GradientRule.class)
public final class MinGradient implements GradientRule {
  @Override
  public String operator() {
    return "Min";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    String dy = g.outputGradient(0);
    String y = node.output(0);
    String count = null;
    List<String> chosen = new ArrayList<>();
    for (String input : node.inputs()) {
      String is = g.cast(g.op("Equal", input, y), g.elementType(y));
      chosen.add(is);
      count = count == null ? is : g.add(count, is);
    }
    String share = g.div(dy, count);
    for (int i = 0; i < node.inputs().size(); i++) {
      if (g.needs(i)) {
        g.inputGradient(i, g.sumTo(g.mul(share, chosen.get(i)), y, node.input(i)));
      }
    }
  }
}
