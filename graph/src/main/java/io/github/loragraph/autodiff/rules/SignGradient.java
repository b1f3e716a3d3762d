package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;

/** The sign is constant between its steps: dx = 0, as in PyTorch. */
@AutoService(GradientRule.class)
public final class SignGradient extends ZeroGradient {
  @Override
  public String operator() {
    return "Sign";
  }
}
