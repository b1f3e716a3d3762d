package io.github.loragraph.ops.math;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.ops.DifferentiableOperator;
import io.github.loragraph.ops.GradientContext;
import io.github.loragraph.ops.Operator;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.ops.Trait;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * The largest or the smallest of all inputs. As in PyTorch, entries that are equal share dy evenly.
 */
@AutoService(OperatorFamily.class)
public final class Extremes implements OperatorFamily {
  @Override
  public List<Operator> operators() {
    return List.of(new Extreme("Max"), new Extreme("Min"));
  }

  private record Extreme(String name) implements DifferentiableOperator {
    @Override
    public Set<Trait> traits() {
      return Set.of(Trait.BROADCASTING, Trait.COMMUTATIVE);
    }

    @Override
    public void emit(Node node, GradientContext g) {
      String dy = g.outputGradient();
      String y = node.output(0);
      List<String> chosen = new ArrayList<>();
      for (String input : node.inputs()) {
        String is = g.cast(g.op("Equal", input, y), g.elementType(y));
        chosen.add(is);
      }
      String count = chosen.stream().reduce(g::add).orElseThrow();
      String share = g.div(dy, count);
      for (int i = 0; i < node.inputs().size(); i++) {
        if (g.needs(i)) {
          g.inputGradient(i, g.reduceToShape(g.mul(share, chosen.get(i)), y, node.input(i)));
        }
      }
    }
  }
}
